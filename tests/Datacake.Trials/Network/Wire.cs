using System.Net;

namespace Datacake.Trials.Network;

/// <summary>
/// A network between hosts whose packets pass through this process. Each direction between two hosts has its own loss, delay, bandwidth and blocks.
/// It replaces bridges, netem and packet filters, which not every kernel has, and draws its losses from a seed.
/// </summary>
sealed class Wire : IDisposable
{
    const int MaxQueuedMilliseconds = 250;

    readonly Lock _lock = new();
    readonly Dictionary<uint, Host> _routes = [];                                           // under the lock
    readonly Dictionary<(Host From, Host To), LinkConditions> _conditions = [];             // under the lock
    readonly Dictionary<(Host From, Host To), long> _free = [];                             // under the lock: when the last packet is through
    readonly HashSet<Host> _unplugged = [];                                                 // under the lock
    readonly PriorityQueue<(int Descriptor, byte[] Packet), (long Due, long Order)> _underWay = new();     // under its own lock
    readonly Random _random;                                                                // under the lock
    readonly Thread _delivering;
    LinkConditions _default;                                                                // under the lock
    long _order;
    volatile bool _isDisposed;

    public Wire(int seed)
    {
        _random = new Random(seed);
        _delivering = new Thread(Deliver) { IsBackground = true, Name = "wire" };
        _delivering.Start();
    }

    /// <summary>Gets or sets the quality of all directions without their own conditions.</summary>
    public LinkConditions Default
    {
        get
        {
            lock (_lock)
                return _default;
        }
        set
        {
            lock (_lock)
                _default = value;
        }
    }

    /// <summary>Sets the quality of one direction; <see langword="null"/> restores the default.</summary>
    public void Set(Host from, Host to, LinkConditions? conditions)
    {
        lock (_lock)
        {
            if (conditions is { } own)
                _conditions[(from, to)] = own;
            else
                _conditions.Remove((from, to));
        }
    }

    /// <summary>Unplugs a host's cable: no packet goes in or out, and no connection is closed.</summary>
    public void Unplug(Host host)
    {
        lock (_lock)
            _unplugged.Add(host);
    }

    public void Plug(Host host)
    {
        lock (_lock)
            _unplugged.Remove(host);
    }

    /// <summary>Ends all faults except those of the default quality.</summary>
    public void Heal()
    {
        lock (_lock)
        {
            _conditions.Clear();
            _unplugged.Clear();
        }
    }

    /// <summary>Routes the packets for an address to a host.</summary>
    public void Route(IPAddress address, Host? host)
    {
        lock (_lock)
        {
            if (host is null)
                _routes.Remove(Number(address.GetAddressBytes()));
            else
                _routes[Number(address.GetAddressBytes())] = host;
        }
    }

    /// <summary>Sends a packet of a host. Called by the hosts' reading threads.</summary>
    public void Send(Host from, ReadOnlySpan<byte> packet)
    {
        const int HeaderLength = 20, DestinationOffset = 16;
        if (packet.Length < HeaderLength || packet[0] >> 4 != 4)
            return;
        Host? to;
        long due;
        lock (_lock)
        {
            if (!_routes.TryGetValue(Number(packet.Slice(DestinationOffset, 4)), out to) || _unplugged.Contains(from) || _unplugged.Contains(to))
                return;
            var conditions = _conditions.GetValueOrDefault((from, to), _default);
            if (conditions.IsBlocked || (conditions.Loss > 0 && _random.NextDouble() < conditions.Loss))
                return;
            long now = Environment.TickCount64;
            long free = Math.Max(now, _free.GetValueOrDefault((from, to)));
            if (conditions.BytesPerSecond > 0)
            {
                // Whole milliseconds are too coarse for single packets on fast links, but the links that the trials limit are slow.
                if (free - now > MaxQueuedMilliseconds)
                    return;
                free += Math.Max(1, packet.Length * 1_000L / conditions.BytesPerSecond);
                due = free;
            }
            else
            {
                due = Math.Max(free, now + (long)(conditions.Delay + (conditions.Jitter * _random.NextDouble())).TotalMilliseconds);
                free = due;
            }
            _free[(from, to)] = free;
            if (due <= now)
                due = 0;
        }
        if (due == 0)
            Native.WritePacket(to.Descriptor, packet);
        else
            Enqueue(to.Descriptor, packet.ToArray(), due);
    }

    public void Dispose()
    {
        _isDisposed = true;
        lock (_underWay)
            Monitor.Pulse(_underWay);
        _delivering.Join();
    }

    static uint Number(ReadOnlySpan<byte> address) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(address);

    void Enqueue(int descriptor, byte[] packet, long due)
    {
        lock (_underWay)
        {
            _underWay.Enqueue((descriptor, packet), (due, _order++));
            Monitor.Pulse(_underWay);
        }
    }

    void Deliver()
    {
        while (!_isDisposed)
        {
            (int Descriptor, byte[] Packet) next;
            lock (_underWay)
            {
                if (!_underWay.TryPeek(out next, out var priority))
                {
                    Monitor.Wait(_underWay, 100);
                    continue;
                }
                long left = priority.Due - Environment.TickCount64;
                if (left > 0)
                {
                    Monitor.Wait(_underWay, (int)left);
                    continue;
                }
                _underWay.Dequeue();
            }
            Native.WritePacket(next.Descriptor, next.Packet);
        }
    }
}
