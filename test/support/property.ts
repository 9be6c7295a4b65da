import fc from "fast-check";

/**
 * fast-check with one seed for every run, so that CI says of a commit what it said before; `PROPERTY_SEED=random` looks further, a number
 * repeats what was found.
 */
const seed = process.env.PROPERTY_SEED;
if (seed !== "random") fc.configureGlobal({ seed: Number(seed) });

export default fc;
