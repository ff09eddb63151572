using Datacake.Rpc;
using Datacake.Rpc.Sealing;

namespace Datacake.Node;

// The certificates and secrets by which nodes authenticate each other.
public sealed partial class DatacakeNodeOptions
{
    internal RpcTls? Tls { get; private set; }

    internal string? ClusterSecret { get; private set; }

    internal bool AllowsAnyone { get; private set; }

    /// <summary>True if the node refuses connections without a client certificate or the cluster secret.</summary>
    internal bool RefusesStrangers => ClusterSecret is not null || Tls is { RequireClientCertificate: true };

    internal IReadOnlyList<ReadOnlyMemory<byte>> OperatorKeys { get; private set; } = [];

    internal IReadOnlyList<string> AcceptedClusterSecrets { get; private set; } = [];

    /// <summary>Creates the seal that protects datagrams, or returns null if there is no cluster secret.</summary>
    internal DatagramSeal? NewDatagramSeal() =>
        ClusterSecret is null ? null : new DatagramSeal(ClusterSecrets.Of(ClusterSecret, AcceptedClusterSecrets));

    /// <summary>
    /// Encrypts the RPC traffic between nodes with TLS. The node presents its own certificate, both as a server and as a client. Set
    /// <see cref="RpcTls.RequireClientCertificate"/> to refuse connections without a client certificate. TLS does not cover gossip over
    /// UDP, which needs a cluster secret. Default: none.
    /// </summary>
    /// <exception cref="ArgumentException">There is no certificate, or it has no private key.</exception>
    public DatacakeNodeOptions WithTls(RpcTls tls)
    {
        ArgumentNullException.ThrowIfNull(tls);
        if (tls is { Certificate: null, CertificateCallback: null, CertificateFile: null } || tls.Certificate is { HasPrivateKey: false })
        {
            throw new ArgumentException(
                "A node that uses TLS needs a certificate with a private key. Set Certificate, CertificateFile or CertificateCallback.",
                nameof(tls));
        }

        Once("TLS");
        Tls = tls;
        return this;
    }

    /// <inheritdoc cref="WithTls(RpcTls)"/>
    /// <param name="configure">Sets the TLS options: <c>tls => tls.CertificateFile = "node.pem"</c>.</param>
    public DatacakeNodeOptions WithTls(Action<RpcTls> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var tls = new RpcTls();
        configure(tls);
        return WithTls(tls);
    }

    /// <summary>
    /// Sets the secret that all nodes of the cluster share. Nodes without the secret are refused. The secret is never sent. The traffic
    /// between nodes is encrypted and authenticated with keys that are derived from the secret, or by TLS if TLS is also set. A secret has
    /// at least 16 characters; 32 random characters are recommended. Default: none.
    /// </summary>
    /// <exception cref="ArgumentException">The secret is too short, or has too few different characters.</exception>
    public DatacakeNodeOptions WithClusterSecret(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        ClusterSecrets.CheckStrength(secret, "cluster secret");
        Once("cluster secret");
        ClusterSecret = secret;
        return this;
    }

    /// <summary>
    /// Sets the public keys of the operators. With keys, only the holder of a matching private key can retire a member, on any node, and a
    /// node with an empty disk can replace a member only after that member was retired. Without keys, any member can retire another. All
    /// nodes should have the same keys, and durable storage. A key is a public ECDSA key, in PEM or as the Base64 text of its
    /// <c>SubjectPublicKeyInfo</c>. Use the curve P-256 if the nodes run on different platforms. Default: none.
    /// </summary>
    /// <exception cref="ArgumentException">The list is empty, or an item is not a public ECDSA key.</exception>
    public DatacakeNodeOptions WithOperatorKeys(params IEnumerable<string> publicKeys)
    {
        ArgumentNullException.ThrowIfNull(publicKeys);
        ReadOnlyMemory<byte>[] keys = [.. publicKeys.Select(OperatorKey.Read)];
        if (keys.Length == 0)
            throw new ArgumentException("The list of operator keys is empty. Add a key, or do not call WithOperatorKeys.", nameof(publicKeys));
        Once("list of operator keys");
        OperatorKeys = keys;
        return this;
    }

    /// <summary>
    /// Allows the node to accept connections from other machines without a cluster secret or client certificates. Anyone who can connect
    /// can then read, change and delete all data. Use this only in a network that no one but the nodes can reach.
    /// </summary>
    public DatacakeNodeOptions AllowAnyone()
    {
        AllowsAnyone = true;
        return this;
    }

    /// <summary>
    /// Sets further secrets that the node accepts from others, so that the secret can be changed node by node. First, make all nodes accept
    /// the new secret. Then make all nodes use it (<see cref="WithClusterSecret"/>) and accept the old one. Finally, make all nodes stop
    /// accepting the old one. Default: none.
    /// </summary>
    /// <exception cref="ArgumentException">A secret is too short, or has too few different characters.</exception>
    public DatacakeNodeOptions WithAcceptedClusterSecrets(params IEnumerable<string> secrets)
    {
        ArgumentNullException.ThrowIfNull(secrets);
        string[] accepted = [.. secrets];
        foreach (var secret in accepted)
            ClusterSecrets.CheckStrength(secret, "accepted cluster secret");
        Once("accepted cluster secrets");
        AcceptedClusterSecrets = accepted;
        return this;
    }
}
