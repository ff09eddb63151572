using System.ComponentModel;
using System.Diagnostics;

namespace Datacake.Storage.Specification;

/// <summary>A small file system of a test's own, in memory, which can be full or read-only. Linux only, and only for root.</summary>
public sealed class SmallDisk : IDisposable
{
    readonly TemporaryDirectory _directory;

    SmallDisk(TemporaryDirectory directory) => _directory = directory;

    /// <summary>The full path of a name in the root of the disk.</summary>
    public string this[string name] => Path.Combine(MountPoint(_directory), name);

    /// <summary>Mounts a disk, or skips the test where that cannot be done.</summary>
    public static SmallDisk Mount(int megabytes)
    {
        var directory = new TemporaryDirectory();
        Directory.CreateDirectory(MountPoint(directory));
        if (TryRun("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "none", MountPoint(directory)))
            return new SmallDisk(directory);
        directory.Dispose();
        Assert.Skip("This process may not mount a file system in memory.");
        throw new InvalidOperationException("Not reached: the test is skipped.");
    }

    /// <summary>Refuses all writing from now on.</summary>
    public void MakeReadOnly()
    {
        if (!TryRun("mount", "-o", "remount,ro", MountPoint(_directory)))
            throw new InvalidOperationException("The disk cannot be made read-only: a file on it is open for writing.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        TryRun("umount", "--lazy", MountPoint(_directory));
        _directory.Dispose();
    }

    static string MountPoint(TemporaryDirectory directory) => directory["disk"];

    static bool TryRun(string command, params string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(command, arguments) { RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            // There is no such command.
            return false;
        }
    }
}
