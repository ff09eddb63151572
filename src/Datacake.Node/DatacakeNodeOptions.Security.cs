using Datacake.Rpc;
using Datacake.Rpc.Handshake;
using Datacake.Rpc.Sealing;

namespace Datacake.Node;

// The certificates and secrets by which nodes know each other.
public sealed partial class DatacakeNodeOptions
{
    internal RpcTls? Tls { get; private set; }

    internal string? ClusterSecret { get; private set; }

    internal bool AllowsAnyone { get; private set; }

    /// <summary>True if strangers who reach the node's port are refused.</summary>
    internal bool RefusesStrangers => ClusterSecret is not null || Tls is { RequireClientCertificate: true };

    internal IReadOnlyList<ReadOnlyMemory<byte>> OperatorKeys { get; private set; } = [];

    internal IReadOnlyList<string> AcceptedClusterSecrets { get; private set; } = [];

    /// <summary>Makes what seals datagrams; null without a secret.</summary>
    internal DatagramSeal? NewDatagramSeal() =>
        ClusterSecret is null ? null : new DatagramSeal(ClusterSecrets.Of(ClusterSecret, AcceptedClusterSecrets));

    /// <summary>
    /// Encrypts the traffic between nodes over RPC, with the node's own certificate, which it shows as server and as client. Set <see
    /// cref="RpcTls.RequireClientCertificate"/> so that only nodes with a certificate get in. Gossip over UDP is not
    /// covered, and needs a cluster secret. Default: none.
    /// </summary>
    /// <exception cref="ArgumentException">There is no certificate, or it has no private key.</exception>
    public DatacakeNodeOptions WithTls(RpcTls tls)
    {
        ArgumentNullException.ThrowIfNull(tls);
        if (tls is { Certificate: null, CertificateCallback: null, CertificateFile: null } || tls.Certificate is { HasPrivateKey: false })
        {
            throw new ArgumentException(
                "A node that speaks TLS needs a certificate with its private key: set Certificate, CertificateFile or CertificateCallback.",
                nameof(tls));
        }

        Once("TLS");
        Tls = tls;
        return this;
    }

    /// <summary>
    /// Sets the secret of the cluster, which all its nodes know and nobody else: a node without it is refused. The secret never travels. Everything that nodes say to
    /// each other is encrypted and authenticated with keys that follow from it, or by TLS if that is set, too. At least 16 characters, better 32 random ones.
    /// Default: none.
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
    /// Sets the public keys of the operators: only who has one of the private keys can retire a member, on whatever node that is called, and a node with an empty disk
    /// takes the place of a member only once that is retired. Without keys, the word of any member is believed. All nodes should have the same keys, and durable storage. A key is an
    /// ECDSA key, P-256 where the nodes run on several platforms, as PEM or as the Base64 text of its <c>SubjectPublicKeyInfo</c>. Default: none.
    /// </summary>
    /// <exception cref="ArgumentException">There is no key, or a text is no public ECDSA key.</exception>
    public DatacakeNodeOptions WithOperatorKeys(params IEnumerable<string> publicKeys)
    {
        ArgumentNullException.ThrowIfNull(publicKeys);
        ReadOnlyMemory<byte>[] keys = [.. publicKeys.Select(OperatorKey.Read)];
        if (keys.Length == 0)
            throw new ArgumentException("There is no operator key in the list. Give one at least, or leave the setting out.", nameof(publicKeys));
        Once("list of operator keys");
        OperatorKeys = keys;
        return this;
    }

    /// <summary>
    /// Allows the node to listen where others than this machine reach it, though it has neither a cluster secret nor client certificates: whoever connects can
    /// then read, change and delete all data. For networks that only the nodes can reach.
    /// </summary>
    public DatacakeNodeOptions AllowAnyone()
    {
        AllowsAnyone = true;
        return this;
    }

    /// <summary>
    /// Sets further secrets that the node accepts from others, so that the secret can be changed node by node: first all nodes accept the new one, then all use it
    /// (<see cref="WithClusterSecret"/>) and accept the old one, then no node accepts the old one any longer. Default: none.
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
