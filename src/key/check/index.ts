export { writeBootSums } from "./boot-sums.ts";
export {
  checkKey,
  type CheckedFile,
  type CheckKeyRequest,
  type FileVerdict,
  type KeyCheckReport,
  type KeyFinding,
} from "./check-key.ts";
