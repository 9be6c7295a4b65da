export * from "../../src/cli/stack/stack.ts";
