// Loaded before every test: keeps each worker's event loop alive. Where a test waits for what keeps no process alive (a child or
// a timer after `unref`), `bun test` turns its loop in circles instead of sleeping, a core for as long as the wait.

setInterval(() => {}, 2 ** 30);
