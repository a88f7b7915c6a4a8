import type { CommandIndex } from "./command.ts";

/** Every command there is. */
export const commands: CommandIndex = {
  groups: [
    { name: "disk", summary: "an ordinary big file as a hard disk: make it, look inside, change what is there" },
    { name: "key", summary: "one USB key that starts every ISO file on it" },
  ],
  entries: [
    { words: ["disk", "create"], load: async () => (await import("./disk/create.ts")).create },
    { words: ["disk", "show"], load: async () => (await import("./disk/show.ts")).show },
    { words: ["disk", "ls"], load: async () => (await import("./disk/ls.ts")).ls },
    { words: ["disk", "cat"], load: async () => (await import("./disk/cat.ts")).cat },
    { words: ["disk", "get"], load: async () => (await import("./disk/get.ts")).get },
    { words: ["disk", "put"], load: async () => (await import("./disk/put.ts")).put.command },
    { words: ["disk", "rm"], load: async () => (await import("./disk/rm.ts")).rm.command },
    { words: ["disk", "mkdir"], load: async () => (await import("./disk/mkdir.ts")).mkdir.command },
    { words: ["disk", "mv"], load: async () => (await import("./disk/mv.ts")).mv.command },
    { words: ["disk", "ln"], load: async () => (await import("./disk/ln.ts")).ln.command },
    { words: ["disk", "chmod"], load: async () => (await import("./disk/chmod.ts")).chmod.command },
    { words: ["disk", "chown"], load: async () => (await import("./disk/chown.ts")).chown.command },
    { words: ["disk", "edit"], load: async () => (await import("./disk/edit.ts")).edit },
    { words: ["disk", "grow"], load: async () => (await import("./disk/grow.ts")).grow },
    { words: ["disk", "kernel"], load: async () => (await import("./disk/kernel.ts")).kernel },
    { words: ["disk", "run"], load: async () => (await import("./disk/run.ts")).run },
    { words: ["disk", "vm"], load: async () => (await import("./disk/vm.ts")).vm },
    { words: ["disk", "shrink"], load: async () => (await import("./disk/shrink.ts")).shrink },
    { words: ["disk", "check"], load: async () => (await import("./disk/check.ts")).check },
    { words: ["key", "create"], load: async () => (await import("./key/create.ts")).create },
    { words: ["key", "add"], load: async () => (await import("./key/add.ts")).add },
    { words: ["key", "list"], load: async () => (await import("./key/list.ts")).list },
    { words: ["key", "remove"], load: async () => (await import("./key/remove.ts")).remove },
    { words: ["key", "run"], load: async () => (await import("./key/run.ts")).run },
    { words: ["key", "write"], load: async () => (await import("./key/write.ts")).write },
    { words: ["tour"], load: async () => (await import("./tour.ts")).tour },
    { words: ["completion"], load: async () => (await import("./completion.ts")).completion },
    { words: ["manual"], load: async () => (await import("./manual.ts")).manual },
  ],
};
