export { hashPassword } from "./argon2.ts";
export { readPasswdFile, type PasswdEntry } from "./passwd-file.ts";
export { canVerify, parseStored, verifyPassword, type StoredPassword } from "./stored-password.ts";
export { UserDirectory, type FoundUser, type LoginAttempt, type PasswordCheck } from "./user-directory.ts";
