using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Datacake.Storage;

/// <summary>The number of names of a file, for which .NET has no API.</summary>
static unsafe partial class HardLinks
{
    // More than the largest of the structures that the functions fill.
    const int BufferBytes = 512;

    /// <summary>Returns the number of names of a file, or 1 if the operating system does not tell.</summary>
    public static int Count(string path)
    {
        byte* buffer = stackalloc byte[BufferBytes];
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // The fourth field of struct statx, which is the same on all architectures.
                const int CurrentDirectory = -100, NumberOfLinks = 4;
                return GetStatusOnLinux(CurrentDirectory, path, 0, NumberOfLinks, buffer) == 0 ? *(int*)(buffer + 16) : 1;
            }
            if (OperatingSystem.IsMacOS())
            {
                // The third field of struct stat.
                bool isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
                int result = isArm ? GetStatusOnMac(path, buffer) : GetStatusOnIntelMac(path, buffer);
                return result == 0 ? *(ushort*)(buffer + 6) : 1;
            }
            if (OperatingSystem.IsWindows())
            {
                // The eighth field of BY_HANDLE_FILE_INFORMATION.
                using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                return GetStatusOnWindows(file, buffer) != 0 ? *(int*)(buffer + 40) : 1;
            }
        }
        catch (EntryPointNotFoundException)
        {
            // A C library of before 2018 has no statx.
        }
        return 1;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetStatusOnLinux(int directory, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetStatusOnMac(string path, byte* status);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetStatusOnIntelMac(string path, byte* status);

    [LibraryImport("kernel32", EntryPoint = "GetFileInformationByHandle")]
    private static partial int GetStatusOnWindows(SafeFileHandle file, byte* information);
}
