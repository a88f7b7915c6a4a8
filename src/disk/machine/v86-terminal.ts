import type { V86 } from "v86";

/** Ctrl-A, after which a letter is for the machine's owner: QEMU's own keys. */
const prefix = "\u0001";

/** Makes the terminal of this process the serial port of a machine, until disposed of. Ctrl-A X is `onQuit`. */
export function connectTerminal(emulator: V86, onQuit: () => void): Disposable {
  const { stdin, stdout } = process;
  let isAfterPrefix = false;
  const onKeys = (keys: Buffer): void => {
    for (const key of keys.toString("latin1")) {
      if (isAfterPrefix && key.toLowerCase() === "x") onQuit();
      else if (isAfterPrefix || key !== prefix) emulator.serial0_send(key);
      isAfterPrefix = !isAfterPrefix && key === prefix;
    }
  };
  emulator.add_listener("serial0-output-byte", (byte) => void stdout.write(Uint8Array.of(byte)));
  stdin.setRawMode(true);
  stdin.on("data", onKeys);
  return {
    [Symbol.dispose]() {
      stdin.off("data", onKeys);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
