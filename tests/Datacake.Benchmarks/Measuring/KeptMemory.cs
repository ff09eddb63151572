using System.Globalization;
using System.Runtime;

namespace Datacake.Benchmarks.Measuring;

/// <summary>
/// The memory that the process holds and that the operating system cannot reclaim. Pages of mapped files do not count, because they are
/// file cache that the operating system drops when it needs the memory.
/// </summary>
static class KeptMemory
{
    const string LinuxStatus = "/proc/self/status", LinuxField = "RssAnon:";

    public static long Read()
    {
        for (int i = 0; i < 2; i++)
        {
            GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
        if (!OperatingSystem.IsLinux())
            return Environment.WorkingSet;
        string line = File.ReadLines(LinuxStatus).First(line => line.StartsWith(LinuxField, StringComparison.Ordinal));
        return long.Parse(line[LinuxField.Length..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.Integer, CultureInfo.InvariantCulture) * 1024;
    }
}
