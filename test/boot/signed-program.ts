/** A PE file with nothing but headers. */
export function program(machine: number, certificates: readonly [offset: number, sizeBytes: number] = [0, 0]): Buffer {
  const file = Buffer.alloc(2048);
  file.write("MZ", 0);
  file.writeUInt32LE(0x80, 0x3c);
  file.write("PE\0\0", 0x80);
  file.writeUInt16LE(machine, 0x84);
  file.writeUInt16LE(240, 0x84 + 16);
  file.writeUInt16LE(0x20b, 0x98);
  file.writeUInt32LE(16, 0x98 + 0x6c);
  file.writeUInt32LE(certificates[0], 0x98 + 0x90);
  file.writeUInt32LE(certificates[1], 0x98 + 0x94);
  return file;
}

/** The same with a table of certificates, whose signature nobody would accept. */
export function signedProgram(machine: number): Buffer {
  const file = program(machine, [1024, 512]);
  file.writeUInt32LE(500, 1024);
  file.writeUInt16LE(2, 1024 + 6);
  return file;
}
