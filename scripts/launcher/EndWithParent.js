/**
 * Loaded into a program before its own code (`node --import`): its standard input is a pipe from the launcher, which the
 * operating system closes when the launcher has gone, however it went. Then the program ends as after SIGTERM.
 *
 * JavaScript, so that Node does not keep 18 MB to strip types with in a program that has none left.
 */
process.stdin.once("end", () => process.kill(process.pid, "SIGTERM"))
process.stdin.once("error", () => process.kill(process.pid, "SIGTERM"))
process.stdin.resume()
// The pipe alone keeps no program running.
process.stdin.unref()
