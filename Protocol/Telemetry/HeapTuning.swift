#if canImport(Glibc)
    import Glibc
#endif

/// Settings of the C library's heap for a daemon that is to be small at rest.
public enum HeapTuning {
    /// Call it once, before threads start. Without it glibc keeps what a password hash or an upload took for a moment:
    /// it makes an arena for each thread, and its threshold for giving memory back grows with what was freed.
    public static func apply() {
        #if canImport(Glibc)
            // <malloc.h> is not in Swift's module of the C library, so mallopt(3) is looked up by name.
            guard let symbol = dlsym(nil, "mallopt") else { return }
            let setOption = unsafeBitCast(symbol, to: (@convention(c) (Int32, Int32) -> Int32).self)
            let trimThreshold: Int32 = -1
            let mmapThreshold: Int32 = -3
            let arenaMax: Int32 = -8
            // It refuses only unknown parameters, and then things stay as they were.
            _ = setOption(trimThreshold, 128 << 10)
            _ = setOption(mmapThreshold, 256 << 10)
            _ = setOption(arenaMax, 2)
        #endif
    }

    /// Gives the kernel back what lies free between things in use. The C library does so only at an arena's end, so that
    /// after a burst one small thing would keep megabytes.
    public static func giveBack() {
        #if canImport(Glibc)
            guard let symbol = dlsym(nil, "malloc_trim") else { return }
            _ = unsafeBitCast(symbol, to: (@convention(c) (Int) -> Int32).self)(0)
        #endif
    }
}
