// Loaded before every test: properties try the same cases on each run, so that one which fails fails for everybody. Whoever looks
// for new ones names another seed: `FAST_CHECK_SEED=42 npm test`.

import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 7420) });
