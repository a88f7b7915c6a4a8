export { installChain } from "./install-chain.ts";
