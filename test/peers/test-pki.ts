/** Certificates for tests, made by openssl: a CA, a server's, and those of users. */
import * as fs from "node:fs";
import { runPeer } from "./peer.ts";

export interface TestPki {
  /** PEM files. */
  readonly ca: string;
  readonly server: { readonly certificate: string; readonly key: string };
  user(name: string): { readonly certificate: string; readonly key: string };
}

/** Everything is in this folder; the server's certificate is for `localhost` and `127.0.0.1`. */
export function makeTestPki(folder: string, caName = "ca"): TestPki {
  fs.mkdirSync(folder, { recursive: true });
  const at = (name: string): string => `${folder}/${name}`;
  const openssl = (...words: readonly string[]): string => runPeer("openssl", words, { cwd: folder });
  const ca = at(`${caName}.pem`);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    at(`${caName}.key`),
    "-out",
    ca,
    "-days",
    "30",
    "-subj",
    `/CN=${caName}`,
  );
  const issue = (name: string, extension: string): { readonly certificate: string; readonly key: string } => {
    const [certificate, key, request] = [at(`${name}.crt`), at(`${name}.key`), at(`${name}.csr`)];
    if (fs.existsSync(certificate)) return { certificate, key };
    openssl("req", ...newKey, "-keyout", key, "-out", request, "-subj", `/CN=${name}`);
    fs.writeFileSync(at(`${name}.ext`), extension);
    const signing = [
      "-CA",
      ca,
      "-CAkey",
      at(`${caName}.key`),
      "-CAcreateserial",
      "-days",
      "30",
      "-extfile",
      at(`${name}.ext`),
    ];
    openssl("x509", "-req", "-in", request, "-out", certificate, ...signing);
    return { certificate, key };
  };
  return {
    ca,
    server: issue("localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"),
    user: (name) => issue(name, `subjectAltName=email:${name}@example.org\nextendedKeyUsage=clientAuth\n`),
  };
}
