/**
 * Preloaded into the processes that `npm start` forks (`node --import`): they end when their parent is gone, however
 * it went. The entry itself stays as it is in production.
 */
const end = () => process.exit(1)

if (process.connected === false) end()
process.on('disconnect', end)
// The listener alone would keep a process alive whose own work is done, after its SIGTERM for instance.
process.channel?.unref()
