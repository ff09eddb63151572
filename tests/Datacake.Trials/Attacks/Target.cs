using System.Net;
using System.Net.Sockets;
using Datacake.Rpc;

namespace Datacake.Trials.Attacks;

/// <summary>The attacked node and the connections to it.</summary>
sealed class Target : IAsyncDisposable
{
    public Target(string address, string secret)
    {
        Address = address;
        Channel = new RpcChannel(address, new RpcChannelOptions { ClusterSecret = secret });
        Member = new FaultyMember(this);
    }

    public string Address { get; }

    /// <summary>Gets a channel that knows the secret.</summary>
    public RpcChannel Channel { get; }

    /// <summary>Gets a member that is in session with the node.</summary>
    public FaultyMember Member { get; }

    public UdpClient Datagrams { get; } = new(0, AddressFamily.InterNetwork);

    public async Task<TcpClient> ConnectAsync(CancellationToken cancellationToken)
    {
        var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPEndPoint.Parse(Address), cancellationToken);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Member.DisposeAsync();
        await Channel.DisposeAsync();
        Datagrams.Dispose();
    }
}
