import {
  parseContentType,
  parseDisposition,
  parseEncoding,
  parseLanguages,
  type ContentType,
} from "./content-fields.ts";
import { fieldText, type RawField } from "./header.ts";
import type { MessagePart } from "./structure.ts";

export function isContentField(name: string): boolean {
  return name.startsWith("content-");
}

export type Content = Pick<
  MessagePart,
  | "type"
  | "subtype"
  | "parameters"
  | "id"
  | "description"
  | "encoding"
  | "md5"
  | "disposition"
  | "languages"
  | "location"
>;

/** What the `Content-` fields of a header say of its body; of fields that stand twice, the last one counts. */
export function contentOf(bytes: Buffer, fields: readonly RawField[], ifNotSaid: ContentType): Content {
  const texts = new Map<string, string>();
  for (const field of fields) if (isContentField(field.name)) texts.set(field.name, fieldText(bytes, field));
  const type = texts.get("content-type");
  const disposition = texts.get("content-disposition");
  const dispositionOf = disposition === undefined ? undefined : parseDisposition(disposition);
  return {
    ...((type === undefined ? undefined : parseContentType(type)) ?? ifNotSaid),
    ...optional("id", texts.get("content-id")),
    ...optional("description", texts.get("content-description")),
    encoding: parseEncoding(texts.get("content-transfer-encoding")),
    ...optional("md5", texts.get("content-md5")),
    ...(dispositionOf === undefined ? {} : { disposition: dispositionOf }),
    languages: parseLanguages(texts.get("content-language")),
    ...optional("location", texts.get("content-location")),
  };
}

function optional<Name extends string>(name: Name, text: string | undefined): Partial<Record<Name, string>> {
  return text === undefined ? {} : ({ [name]: text } as Partial<Record<Name, string>>);
}
