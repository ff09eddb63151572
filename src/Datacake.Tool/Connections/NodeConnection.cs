using Datacake.Administration;
using Datacake.Rpc;

namespace Datacake.Tool.Connections;

/// <summary>A connection to the administration of one node.</summary>
sealed class NodeConnection(string address, NodeAccess access, ITransport transport) : IAsyncDisposable
{
    readonly RpcChannel _channel = new(address, options =>
    {
        access.Configure(options);
        options.Transport = transport;
    });

    /// <summary>Gets the address of the node.</summary>
    public string Address { get; } = address;

    /// <summary>Gets the client of the node.</summary>
    public AdministrationClient Client => field ??= new AdministrationClient(_channel, options =>
    {
        options.Store = access.Store;
        options.OperatorSecret = access.OperatorSecret;
        options.OperatorName = access.Operator ?? options.OperatorName;
    });

    public ValueTask DisposeAsync() => _channel.DisposeAsync();
}
