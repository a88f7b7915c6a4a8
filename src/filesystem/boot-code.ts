/**
 * What a computer runs that starts from this partition: it says so, waits for a key and lets the firmware go on.
 * 16-bit code, loaded at 0x7C00 with the boot sector around it; `codeAt` is where in the sector it begins.
 */
export function bootCode(codeAt: number): Uint8Array {
  const messageAt = 0x7c00 + codeAt + code.length;
  const bytes = Uint8Array.from(code);
  bytes[messageOperand] = messageAt & 0xff;
  bytes[messageOperand + 1] = messageAt >> 8;
  return Buffer.concat([bytes, Buffer.from(`${message}\0`, "latin1")]);
}

const message = "\r\nNothing to start on this disk. Press a key to try another.\r\n";
/** Where in the code the address of the message stands. */
const messageOperand = 7;

const code: readonly number[] = [
  [0x31, 0xc0], //             xor ax, ax
  [0x8e, 0xd8], //             mov ds, ax
  [0xfc], //                   cld
  [0x90], //                   nop
  [0xbe, 0x00, 0x00], //       mov si, message
  [0xac], //             next: lodsb
  [0x84, 0xc0], //             test al, al
  [0x74, 0x09], //             jz wait
  [0xb4, 0x0e], //             mov ah, 0x0e
  [0xbb, 0x07, 0x00], //       mov bx, 7
  [0xcd, 0x10], //             int 0x10
  [0xeb, 0xf2], //             jmp next
  [0x31, 0xc0], //       wait: xor ax, ax
  [0xcd, 0x16], //             int 0x16
  [0xcd, 0x19], //             int 0x19
  [0xeb, 0xfe], //             jmp $
].flat();
