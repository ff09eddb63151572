using Datacake.Rpc;

namespace Datacake.Tool.Connections;

/// <summary>Everything that nodes want to know before they answer: secrets and certificates.</summary>
/// <param name="ClusterSecret">The cluster secret, or null.</param>
/// <param name="Tls">The TLS options, or null for no TLS.</param>
/// <param name="OperatorSecret">The operator secret, or null.</param>
/// <param name="Operator">The name of the operator, or null for the user and the machine.</param>
/// <param name="Store">The name of the store that the calls concern, or null for the node's own store.</param>
sealed record NodeAccess(string? ClusterSecret, RpcTls? Tls, string? OperatorSecret, string? Operator, string? Store = null)
{
    public void Configure(RpcChannelOptions options)
    {
        options.ClusterSecret = ClusterSecret;
        options.Tls = Tls;
    }

    /// <summary>Connects to a node when the first call is made.</summary>
    public NodeConnection Open(string address) => new(address, this, TcpTransport.Default);

    /// <summary>Connects to a node over a transport when the first call is made.</summary>
    public NodeConnection Open(string address, ITransport transport) => new(address, this, transport);
}
