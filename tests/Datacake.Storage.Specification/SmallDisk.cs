using System.ComponentModel;
using System.Diagnostics;

namespace Datacake.Storage.Specification;

/// <summary>A small file system in memory for one test, which can be full or read-only. It needs Linux and root.</summary>
public sealed class SmallDisk : IDisposable
{
    readonly TemporaryDirectory _directory;

    SmallDisk(TemporaryDirectory directory) => _directory = directory;

    /// <summary>Gets the full path of a name in the root of the disk.</summary>
    public string this[string name] => Path.Combine(MountPoint(_directory), name);

    /// <summary>Mounts a disk, or skips the test if that is not possible.</summary>
    public static SmallDisk Mount(int megabytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux can mount a file system in memory.");
        var directory = new TemporaryDirectory();
        Directory.CreateDirectory(MountPoint(directory));
        if (TryRun("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "none", MountPoint(directory)))
            return new SmallDisk(directory);
        directory.Dispose();
        Assert.Skip("This process may not mount a file system in memory.");
        throw new InvalidOperationException("Not reached: the test is skipped.");
    }

    /// <summary>Makes the disk refuse all writes.</summary>
    public void MakeReadOnly()
    {
        if (!TryRun("mount", "-o", "remount,ro", MountPoint(_directory)))
            throw new InvalidOperationException("The disk cannot be made read-only. A file on it is open for writing.");
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
            // The command does not exist.
            return false;
        }
    }
}
