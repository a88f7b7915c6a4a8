export {
  fillWords,
  type Architecture,
  type BootEntry,
  type Firmware,
  type HostFileSystem,
  type ImagePlace,
  type IsoLocation,
  type Persistence,
  type RecognisedIso,
  type Refusal,
  type StartMethod,
} from "./boot-entry.ts";
export { recogniseFile, type FileKind, type RecognisedFile, type RecognisedProgram } from "./recognise-file.ts";
export { recogniseIso } from "./recognise-iso.ts";
export { mergedWords } from "./words.ts";
export { whyNotStartable } from "./why-not-startable.ts";
