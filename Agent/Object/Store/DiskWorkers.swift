import AgentCore

/// Threads for the store's files.
typealias DiskWorkers = BlockingWorkers
