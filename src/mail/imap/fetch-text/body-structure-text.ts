import type { MessagePart, Parameters } from "../../message/index.ts";
import { envelopeText } from "./envelope-text.ts";
import { stringText, type TextOptions } from "./string-text.ts";

export interface BodyStructureOptions extends TextOptions {
  /** True for BODYSTRUCTURE, false for BODY. */
  readonly extended: boolean;
}

/** BODYSTRUCTURE or BODY as IMAP says it (RFC 9051 §7.5.2). To be sent as UTF-8. */
export function bodyStructureText(part: MessagePart, options: BodyStructureOptions): string {
  const words = part.type === "multipart" ? multipartWords(part, options) : singleWords(part, options);
  return `(${words.join(" ")})`;
}

function multipartWords(part: MessagePart, options: BodyStructureOptions): readonly string[] {
  const parts = part.parts.map((each) => bodyStructureText(each, options)).join("");
  // The grammar wants one part at least.
  const words = [parts === "" ? bodyStructureText(nothing, options) : parts, stringText(part.subtype, options)];
  if (!options.extended) return words;
  return [...words, parametersText(part.parameters, options), ...lastWords(part, options)];
}

const nothing: MessagePart = {
  headerOffset: 0,
  headerBytes: 0,
  bodyOffset: 0,
  bodyBytes: 0,
  lines: 0,
  type: "text",
  subtype: "plain",
  parameters: [["charset", "us-ascii"]],
  encoding: "7bit",
  languages: [],
  parts: [],
};

function singleWords(part: MessagePart, options: BodyStructureOptions): readonly string[] {
  const words = [
    stringText(part.type, options),
    stringText(part.subtype, options),
    parametersText(part.parameters, options),
    stringText(part.id, options),
    stringText(part.description, options),
    stringText(part.encoding, options),
    String(part.bodyBytes),
  ];
  const message = part.parts[0];
  if (part.envelope !== undefined && message !== undefined) {
    words.push(envelopeText(part.envelope, options), bodyStructureText(message, options));
  }
  if (part.type === "text" || part.envelope !== undefined) words.push(String(part.lines));
  if (options.extended) words.push(stringText(part.md5, options), ...lastWords(part, options));
  return words;
}

function lastWords(part: MessagePart, options: TextOptions): readonly string[] {
  const { disposition, languages } = part;
  return [
    disposition === undefined
      ? "NIL"
      : `(${stringText(disposition.type, options)} ${parametersText(disposition.parameters, options)})`,
    languages.length === 0 ? "NIL" : `(${languages.map((each) => stringText(each, options)).join(" ")})`,
    stringText(part.location, options),
  ];
}

function parametersText(parameters: Parameters, options: TextOptions): string {
  if (parameters.length === 0) return "NIL";
  return `(${parameters
    .flat()
    .map((each) => stringText(each, options))
    .join(" ")})`;
}
