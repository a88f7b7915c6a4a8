/** What one message may make of itself: what is beyond is not lost, only not taken apart. */
export const messageLimits = {
  /** Multiparts and messages within each other; what is nested deeper is one opaque part. */
  depth: 100,
  /** Parts in all; what follows the last belongs to the multipart around it. */
  parts: 10_000,
  /** Of one header field; what is longer is cut there. */
  fieldBytes: 256 * 1024,
  /** Of one kind in one header: all of `To:`. */
  addresses: 5000,
  /** Of one header field. */
  parameters: 200,
  /** Message-IDs in References; the last ones are kept, they are the nearest. */
  references: 1000,
  /** Of the header of a message or part, in which fields are looked for. */
  headerBytes: 8 * 1024 * 1024,
} as const;
