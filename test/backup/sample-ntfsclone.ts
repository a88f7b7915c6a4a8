export interface SampleNtfsclone {
  readonly clusterBytes: number;
  /** Of every cluster, or undefined where it is not in the image. */
  readonly clusters: readonly (Buffer | undefined)[];
  /** What lies behind the last whole cluster; images of version 10.0 do not have it. */
  readonly rest?: Buffer;
  readonly deviceBytes: number;
}

function gap(count: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeBigUInt64LE(BigInt(count), 1);
  return bytes;
}

/** An image of ntfsclone, put together as docs/formats/ntfsclone.md says. */
export function sampleNtfsclone({ clusterBytes, clusters, rest, deviceBytes }: SampleNtfsclone): Buffer {
  const header = Buffer.alloc(56);
  header.write("\0ntfsclone-image", 0, "latin1");
  header[16] = 10;
  header[17] = rest === undefined ? 0 : 1;
  header.writeUInt32LE(clusterBytes, 18);
  header.writeBigUInt64LE(BigInt(deviceBytes), 22);
  header.writeBigUInt64LE(BigInt(clusters.length), 30);
  header.writeBigUInt64LE(BigInt(clusters.filter((cluster) => cluster !== undefined).length), 38);
  header.writeUInt32LE(header.length, 46);
  const pieces: Uint8Array[] = [header];
  let missing = 0;
  for (const cluster of clusters) {
    if (cluster === undefined) {
      missing++;
      continue;
    }
    if (missing > 0) pieces.push(gap(missing));
    missing = 0;
    pieces.push(Buffer.of(1), cluster);
  }
  if (missing > 0) pieces.push(gap(missing));
  if (rest !== undefined) pieces.push(Buffer.of(1), rest);
  return Buffer.concat(pieces);
}
