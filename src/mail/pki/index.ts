export { openAuthority, type Authority } from "./authority.ts";
export { loadBundle, readBundle, type Bundle, type BundleFile, type BundleOptions } from "./bundle.ts";
export { createAuthority, type AuthorityRequest } from "./create-authority.ts";
export { issueClient, type ClientRequest, type IssuedKey } from "./issue-client.ts";
export { readRegister, type IssuedCertificate } from "./register.ts";
export { renewRevocationList, renewRevocationListIfDue } from "./renew.ts";
export { issueServer, renewServerCertificateIfDue, serverCertificate } from "./server-certificate.ts";
export { revokeCertificates } from "./revoke.ts";
export { verifyClient, type RefusalReason, type Verdict, type VerifyOptions } from "./verify-client.ts";
