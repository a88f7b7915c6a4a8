/** A message on its way from a server to its place here. */
export interface FetchedMessage {
  /** What the server calls it. */
  readonly uid: string;
  /** What it is known by here: in its Received line, and in the name of its file. */
  readonly id: string;
  readonly from: string;
  /** The local user. */
  readonly recipient: string;
  readonly receivedMs: number;
  readonly sizeBytes: number;
  /** Its bytes, cut at ends of lines where that can be; may be asked for more than once. */
  chunks(): Generator<Buffer>;
}
