using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Server;

/// <summary>The handlers of all services of a server, by route. Lookups take no lock, because every change creates a new table.</summary>
sealed class ServiceTable
{
    readonly Lock _gate = new();
    readonly Dictionary<string, RpcHandlers> _services = [];        // Under the lock.
    volatile Routes _routes = new([]);

    public void Add(string name, RpcHandlers handlers)
    {
        lock (_gate)
        {
            if (!_services.TryAdd(name, handlers))
                throw new ArgumentException($"A service '{name}' already exists. Remove it first, or rename this one.", nameof(name));
            foreach (var entry in handlers.Entries.Values)
                entry.Service = name;
            _routes = new Routes(_services);
        }
    }

    public bool Remove(string name)
    {
        lock (_gate)
        {
            if (!_services.Remove(name))
                return false;
            _routes = new Routes(_services);
            return true;
        }
    }

    public HandlerEntry? Find(ReadOnlySpan<byte> route) => _routes.Find(route);

    public bool HasService(string name)
    {
        lock (_gate)
            return _services.ContainsKey(name);
    }

    sealed class Routes
    {
        readonly Dictionary<byte[], HandlerEntry>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

        public Routes(Dictionary<string, RpcHandlers> services)
        {
            var entries = new Dictionary<byte[], HandlerEntry>(RouteComparer.Instance);
            foreach (var (service, handlers) in services)
            {
                foreach (var (message, entry) in handlers.Entries)
                    entries.Add(Route.Encode(service, message), entry);
            }

            _lookup = entries.GetAlternateLookup<ReadOnlySpan<byte>>();
        }

        public HandlerEntry? Find(ReadOnlySpan<byte> route) => _lookup.TryGetValue(route, out var entry) ? entry : null;
    }

    sealed class RouteComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static RouteComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
