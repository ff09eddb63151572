using System.Net;
using System.Runtime.ExceptionServices;

namespace Datacake.Trials.Network;

/// <summary>A network namespace with one interface on a <see cref="Wire"/> and, optionally, its own hosts file.</summary>
sealed class Host : IAsyncDisposable
{
    const string Interface = "wire0";

    readonly Wire _wire;

    readonly Thread _reading;
    readonly TaskCompletionSource _isReady = new();
    volatile bool _isDisposed;

    Host(Wire wire, string name)
    {
        (_wire, Name) = (wire, name);
        _reading = new Thread(Read) { IsBackground = true, Name = name };
    }

    /// <summary>Gets the name of the namespace.</summary>
    public string Name { get; }

    public IPAddress Address { get; private set; } = IPAddress.None;

    /// <summary>Gets the descriptor to which packets for this host are written.</summary>
    public int Descriptor { get; private set; } = -1;

    public static async Task<Host> CreateAsync(Wire wire, string name, IPAddress address, string? hostsFile = null)
    {
        var host = new Host(wire, name);
        try
        {
            await Shell.RunAsync("ip", "netns", "add", name);
            if (hostsFile is not null)
            {
                string folder = Directory.CreateDirectory(HostsFolderOf(name)).FullName;
                await File.WriteAllTextAsync(Path.Combine(folder, "hosts"), hostsFile);
            }
            host._reading.Start();
            await host._isReady.Task;
            await Shell.RunAsync("ip", "-n", name, "link", "set", "lo", "up");
            await Shell.RunAsync("ip", "-n", name, "link", "set", Interface, "up");
            await host.MoveToAsync(address);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
        return host;
    }

    /// <summary>Replaces the host's address.</summary>
    public async Task MoveToAsync(IPAddress address)
    {
        if (!Address.Equals(IPAddress.None))
        {
            await Shell.RunAsync("ip", "-n", Name, "addr", "flush", "dev", Interface);
            _wire.Route(Address, null);
        }
        await Shell.RunAsync("ip", "-n", Name, "addr", "add", $"{address}/24", "dev", Interface);
        Address = address;
        _wire.Route(address, this);
    }

    /// <summary>Runs a program in the namespace until it ends.</summary>
    public Task RunAsync(params string[] command) => Shell.RunAsync("ip", ["netns", "exec", Name, .. command]);

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        if (!Address.Equals(IPAddress.None))
            _wire.Route(Address, null);
        if (Descriptor >= 0)
            await Shell.RunAsync("ip", "-n", Name, "link", "del", Interface);      // ends the reading
        if (_reading.IsAlive)
            _reading.Join();
        if (Descriptor >= 0)
            Native.CloseDescriptor(Descriptor);
        await RemoveAsync(Name);
    }

    /// <summary>Removes a namespace and its hosts file.</summary>
    public static async Task RemoveAsync(string name)
    {
        await Shell.RunAsync("ip", "netns", "del", name);
        string folder = HostsFolderOf(name);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    static string HostsFolderOf(string name) => $"/etc/netns/{name}";

    // Only this dedicated thread enters the namespace, and it stays there.
    void Read()
    {
        try
        {
            Native.EnterNetworkNamespace($"/run/netns/{Name}");
            Descriptor = Native.CreateTunInterface(Interface);
        }
        catch (Exception e)
        {
            _isReady.SetException(ExceptionDispatchInfo.SetCurrentStackTrace(e));
            return;
        }
        _isReady.SetResult();
        var buffer = new byte[65_536];
        while (!_isDisposed)
        {
            int length = Native.ReadPacket(Descriptor, buffer);
            if (length < 0)
                return;
            _wire.Send(this, buffer.AsSpan(0, length));
        }
    }
}
