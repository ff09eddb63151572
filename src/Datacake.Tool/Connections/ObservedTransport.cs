using Datacake.Rpc;

namespace Datacake.Tool.Connections;

/// <summary>
/// The transport of TCP that remembers whether it has connected. So a node that cannot be reached is told apart from one that refuses the tool, without a connection that
/// says nothing, which the node would log as a stranger.
/// </summary>
sealed class ObservedTransport : ITransport
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>True if a connection was made.</summary>
    public bool HasConnected { get; private set; }

    public ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default) => TcpTransport.Default.ListenAsync(address, cancellationToken);

    public async ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            var connection = await TcpTransport.Default.ConnectAsync(address, limit.Token).ConfigureAwait(false);
            HasConnected = true;
            return connection;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(RpcStatus.Connection, $"Cannot connect to {address}: there is no answer within {Patience.TotalSeconds:0} s.", e);
        }
    }
}
