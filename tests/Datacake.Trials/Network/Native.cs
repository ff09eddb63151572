using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Datacake.Trials.Network;

/// <summary>The Linux system calls that .NET does not provide.</summary>
static unsafe partial class Native
{
    const int CloneNewNet = 0x40000000, ReadWrite = 2, CloseOnExec = 0x80000;
    const nuint TunSetInterface = 0x400454ca;
    const short Tun = 0x0001, NoPacketInformation = 0x1000;
    const int Interrupted = 4;

    public const int SigKill = 9, SigContinue = 18, SigStop = 19;

    /// <summary>Moves the calling thread into a network namespace.</summary>
    public static void EnterNetworkNamespace(string path)
    {
        int descriptor = Check(Open(path, CloseOnExec), $"open {path}");
        int result = SetNamespace(descriptor, CloneNewNet);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (result < 0)
            throw new Win32Exception(error, $"Cannot enter the network namespace {path}.");
    }

    /// <summary>Creates an interface in the calling thread's network namespace. This process reads and writes the interface's packets.</summary>
    public static int CreateTunInterface(string name)
    {
        int descriptor = Check(Open("/dev/net/tun", ReadWrite | CloseOnExec), "open /dev/net/tun");
        var request = stackalloc byte[40];
        new Span<byte>(request, 40).Clear();
        System.Text.Encoding.ASCII.GetBytes(name, new Span<byte>(request, 15));
        *(short*)(request + 16) = Tun | NoPacketInformation;
        Check(Control(descriptor, TunSetInterface, request), $"create the interface {name}");
        return descriptor;
    }

    /// <summary>Reads one packet. Returns a negative length if the interface is gone.</summary>
    public static int ReadPacket(int descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                int length = (int)Read(descriptor, start, (nuint)buffer.Length);
                if (length >= 0 || Marshal.GetLastPInvokeError() != Interrupted)
                    return length;
            }
        }
    }

    /// <summary>Writes one packet. A packet that the interface does not accept is lost, as on a real wire.</summary>
    public static void WritePacket(int descriptor, ReadOnlySpan<byte> packet)
    {
        fixed (byte* start = packet)
            _ = Write(descriptor, start, (nuint)packet.Length);
    }

    public static void CloseDescriptor(int descriptor) => _ = Close(descriptor);

    /// <summary>Sends a signal to a process of this program. A process that has ended is not an error.</summary>
    public static void Signal(int process, int signal) => _ = Kill(process, signal);

    static int Check(int result, string what) =>
        result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"Cannot {what}. Trials with their own networks need root.");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int kind);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int descriptor, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
