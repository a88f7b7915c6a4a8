import type { Screen } from "./screen.ts";

/** A virtual machine that runs until it is disposed of, or switches itself off. */
export interface Machine extends AsyncDisposable {
  /** How it runs, for whoever wonders at its speed: `kvm`, `emulation`, `v86`. */
  readonly acceleration: string;
  /** What its serial port says, where that is captured. Ends when the machine does. */
  readonly serial: AsyncIterable<Uint8Array>;
  /** Resolves once it is switched off. Throws `failed`, with what QEMU said, where it could not be started. */
  readonly ended: Promise<void>;
  /** Types on its serial port, where that is captured. */
  type(text: string): void;
  /** Writes what its screen shows, as PNG, over a file. */
  screenshot(file: string): Promise<void>;
  /** What its screen shows. */
  screen(): Promise<Screen>;
}
