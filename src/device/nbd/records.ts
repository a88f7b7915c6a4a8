import { bits64be, Struct, u16be, u32be, u64be } from "../../bytes/index.ts";

// The NBD protocol, doc/proto.md of the NetworkBlockDevice project; everything is big-endian.

/** "Fixed newstyle negotiation": what the server says first. */
export const greeting = new Struct("NBD greeting", 18, {
  magic: [0, bits64be],
  optionMagic: [8, bits64be],
  flags: [16, u16be],
});

/** What a client asks for before data is transferred; its own data follows. */
export const optionRequest = new Struct("NBD option", 16, {
  magic: [0, bits64be],
  option: [8, u32be],
  lengthBytes: [12, u32be],
});

export const optionReply = new Struct("NBD option reply", 20, {
  magic: [0, bits64be],
  option: [8, u32be],
  type: [12, u32be],
  lengthBytes: [16, u32be],
});

/** NBD_INFO_EXPORT */
export const exportInfo = new Struct("NBD export", 12, {
  type: [0, u16be],
  sizeBytes: [2, u64be],
  flags: [10, u16be],
});

/** NBD_INFO_BLOCK_SIZE */
export const blockSizeInfo = new Struct("NBD block sizes", 14, {
  type: [0, u16be],
  minimumBytes: [2, u32be],
  preferredBytes: [6, u32be],
  maximumBytes: [10, u32be],
});

/** What NBD_OPT_EXPORT_NAME is answered with; 124 zero bytes may follow. */
export const oldExport = new Struct("NBD export of the old kind", 10, { sizeBytes: [0, u64be], flags: [8, u16be] });

export const request = new Struct("NBD request", 28, {
  magic: [0, u32be],
  flags: [4, u16be],
  type: [6, u16be],
  cookie: [8, bits64be],
  at: [16, bits64be],
  lengthBytes: [24, u32be],
});

export const simpleReply = new Struct("NBD reply", 16, {
  magic: [0, u32be],
  error: [4, u32be],
  cookie: [8, bits64be],
});

export const magics = {
  greeting: 0x4e42444d41474943n, // "NBDMAGIC"
  option: 0x49484156454f5054n, // "IHAVEOPT"
  optionReply: 0x3e889045565a9n,
  request: 0x25609513,
  simpleReply: 0x67446698,
} as const;

export const handshakeFlags = { fixedNewstyle: 1, noZeroes: 2 } as const;
export const options = { exportName: 1, abort: 2, list: 3, info: 6, go: 7 } as const;
export const replyTypes = {
  acknowledged: 1,
  server: 2,
  info: 3,
  unsupported: 2 ** 31 + 1,
  invalid: 2 ** 31 + 3,
  unknown: 2 ** 31 + 6,
} as const;
export const infoTypes = { export: 0, blockSize: 3 } as const;
/** HAS_FLAGS, READ_ONLY, CAN_MULTI_CONN: several connections see the same, since nobody writes. */
export const transmissionFlags = 1 | 2 | 0x100;
export const commands = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, cache: 5, writeZeroes: 6 } as const;
/** As Linux numbers them. */
export const errors = { notPermitted: 1, inputOutput: 5, invalid: 22 } as const;
