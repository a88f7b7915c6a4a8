import { fileTypes } from "../../../src/filesystem/udf/file-entry.ts";
import { deviceAttribute, deviceAttributeType } from "../../../src/filesystem/udf/records.ts";
import {
  blockBytes,
  component,
  continued,
  directory,
  entryWith,
  fileEntry,
  identifier,
  longExtent,
  metadataMap,
  plainMap,
  shortExtent,
  UdfImage,
} from "./image-builder.ts";

/** What an extended attribute area begins with, and in it the numbers of a device. */
function deviceAttributes(major: number, minor: number): Uint8Array {
  const bytes = new Uint8Array(24 + deviceAttribute.sizeBytes);
  new DataView(bytes.buffer).setUint32(24, deviceAttributeType, true);
  new DataView(bytes.buffer).setUint32(24 + 8, deviceAttribute.sizeBytes, true);
  deviceAttribute.patch(bytes, { major, minor }, 24);
  return bytes;
}

/** An image with a file of each kind: in its entry, in pieces with holes, with two names, a link, a device, a fifo. */
export function sampleUdf(): UdfImage {
  const image = new UdfImage([plainMap()]);
  const at = (block: number) => ({ partition: 0, block });
  const names = [
    identifier("in entry", at(2)),
    identifier("pieces", at(3)),
    identifier("hard", at(4)),
    identifier("☃", at(4)),
    identifier("link", at(5)),
    identifier("tty", at(6)),
    identifier("fifo", at(7)),
    identifier("deleted", at(99), 4),
  ];
  image.putFileSet(0, at(1));
  image.put(1, entryWith(1, fileTypes.directory, directory(at(1), ...names)));
  const setUid = 0x40;
  image.put(
    2,
    fileEntry(2, {
      fileType: fileTypes.regular,
      sizeBytes: 5,
      form: 3,
      descriptors: Buffer.from("small"),
      permissions: (7 << 10) | (5 << 5) | 1,
      modeFlags: setUid,
      uid: 12,
      gid: 0xffffffff,
    }),
  );
  const pieces = Buffer.concat([
    shortExtent(blockBytes, 20),
    shortExtent(blockBytes, 0, 2),
    shortExtent(blockBytes, 21, 1),
    shortExtent(blockBytes, 30, 3),
  ]);
  image.put(
    3,
    fileEntry(3, { fileType: fileTypes.regular, sizeBytes: 4 * blockBytes + 3, form: 0, descriptors: pieces }),
  );
  image.put(30, continued(30, shortExtent(blockBytes, 22), shortExtent(3, 25)));
  image.put(20, Buffer.alloc(blockBytes, "a"));
  image.put(21, Buffer.alloc(blockBytes, "not recorded"));
  image.put(22, Buffer.alloc(blockBytes, "b"));
  image.put(25, Buffer.from("ccccc"));
  image.put(4, entryWith(4, fileTypes.regular, Buffer.from("two names"), { links: 2 }));
  const target = Buffer.concat([component(2), component(5, "usr"), component(3), component(4), component(5, "x")]);
  image.put(5, entryWith(5, fileTypes.symlink, target));
  const attributes = deviceAttributes(4, 65);
  const device = { fileType: fileTypes.character, sizeBytes: 0, form: 0, descriptors: new Uint8Array(0) } as const;
  image.put(6, fileEntry(6, { ...device, attributes }));
  image.put(7, entryWith(7, fileTypes.fifo, new Uint8Array(0)));
  return image;
}

/** An image of which the metadata is in a file of two pieces. */
export function metadataImage(): UdfImage {
  const image = new UdfImage([plainMap(), metadataMap(5, 6)], { partition: 1, block: 0 });
  const inMetadata = (number: number) => ({ partition: 1, block: number });
  const pieces = Buffer.concat([shortExtent(blockBytes, 50), shortExtent(2 * blockBytes, 60)]);
  const fields = { sizeBytes: 3 * blockBytes, form: 0, descriptors: pieces } as const;
  image.put(5, fileEntry(5, { fileType: fileTypes.metadata, ...fields }));
  image.put(6, fileEntry(6, { fileType: fileTypes.metadataMirror, ...fields }));
  image.putFileSet(50, inMetadata(1), 0);
  image.put(60, entryWith(1, fileTypes.directory, directory(inMetadata(1), identifier("file", inMetadata(2)))));
  const content = longExtent(blockBytes, { partition: 0, block: 20 });
  image.put(61, fileEntry(2, { fileType: fileTypes.regular, sizeBytes: blockBytes, form: 1, descriptors: content }));
  image.put(20, Buffer.alloc(blockBytes, "m"));
  return image;
}
