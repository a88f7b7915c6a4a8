import { moduleHeader, moduleInfo32, moduleInfo64, moduleInfoMagic, objectTypes } from "./core-records.ts";
import { closeOverDependencies } from "./module-closure.ts";
import { platformFile, type PlatformFiles } from "./platform-files.ts";

/** What is built into an image of GRUB. */
export interface ImageRequest {
  /** The modules to have at once; what they need comes along. */
  readonly modules: readonly string[];
  /** Where `/boot/grub` is, such as `(,msdos1)/boot/grub`: without a drive, it is the one that was booted. */
  readonly prefix: string;
  /** Commands to run before `grub.cfg`. */
  readonly config?: string;
}

/** Modules, configuration and prefix, each behind its header, filled up to whole words of the machine. */
export function makeModuleArea(
  grub: PlatformFiles,
  { modules, prefix, config }: ImageRequest,
  wordBytes: 4 | 8,
): Uint8Array {
  const withHeader = (type: number, content: Uint8Array): Uint8Array => {
    const sizeBytes = moduleHeader.sizeBytes + Math.ceil(content.length / wordBytes) * wordBytes;
    const part = new Uint8Array(sizeBytes);
    moduleHeader.patch(part, { type, sizeBytes });
    part.set(content, moduleHeader.sizeBytes);
    return part;
  };
  const parts = closeOverDependencies(grub, modules).map((name) => {
    return withHeader(objectTypes.elf, platformFile(grub, `${name}.mod`));
  });
  if (config !== undefined) parts.push(withHeader(objectTypes.config, Buffer.from(`${config}\0`)));
  parts.push(withHeader(objectTypes.prefix, Buffer.from(`${prefix}\0`)));
  const info = wordBytes === 8 ? moduleInfo64 : moduleInfo32;
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, info.sizeBytes);
  return Buffer.concat([info.encode({ magic: moduleInfoMagic, offset: info.sizeBytes, sizeBytes }), ...parts]);
}
