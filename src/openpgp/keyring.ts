import { Failure } from "../base/index.ts";
import { decodeArmour, isArmoured } from "./armour.ts";
import { signingKeysOf, type SigningKey } from "./certificate.ts";
import { isKeybox, keysInKeybox } from "./keybox.ts";
import { parsePackets } from "./packet.ts";

/** Keys that may sign, each with where it came from. */
export interface Keyring {
  /** Paths of files, or what stands for them; for messages. */
  readonly names: readonly string[];
  readonly keys: readonly SigningKey[];
  /** Fingerprints and key IDs of those that are too weak to be used, or of a kind that is not known here. */
  readonly unusable?: readonly string[];
}

/**
 * A keyring in binary form, armoured, or a keybox, from the content of a file. `name` is for errors. With `issuers`,
 * fingerprints or key IDs, only those keys are taken: to check what thousands say of themselves takes its time.
 */
export function parseKeyring(content: Uint8Array, name: string, issuers?: readonly string[]): Keyring {
  try {
    return { names: [name], ...signingKeysOf(parsePackets(keyPackets(content)), issuers) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure("damaged", `cannot read the keyring "${name}": ${error.message}`, {
      hint: "keyrings are files of OpenPGP keys, as gpg --export writes them",
      cause: error,
    });
  }
}

function keyPackets(content: Uint8Array): Uint8Array {
  if (isKeybox(content)) return keysInKeybox(content);
  return isArmoured(content) ? decodeArmour(Buffer.from(content).toString("latin1"), "PUBLIC KEY BLOCK") : content;
}

/** All keys of several keyrings. */
export function joinKeyrings(keyrings: readonly Keyring[]): Keyring {
  return {
    names: keyrings.flatMap(({ names }) => names),
    keys: keyrings.flatMap(({ keys }) => keys),
    unusable: keyrings.flatMap(({ unusable = [] }) => unusable),
  };
}

/** Only the keys with one of these fingerprints: their own or that of their primary key, with `!` only their own. */
export function keysNamed(keyring: Keyring, fingerprints: readonly string[]): Keyring {
  const wanted = fingerprints.map((one) => one.toUpperCase());
  const keys = keyring.keys.filter(({ key, primaryFingerprint }) => {
    return wanted.some((one) => {
      if (one.endsWith("!")) return key.fingerprint === one.slice(0, -1);
      return key.fingerprint === one || primaryFingerprint === one;
    });
  });
  return { names: keyring.names, keys };
}
