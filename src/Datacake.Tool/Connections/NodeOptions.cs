using System.CommandLine;
using Datacake.Rpc;
using Datacake.Tool.Terminal;

namespace Datacake.Tool.Connections;

/// <summary>The options of commands that call a node.</summary>
static class NodeOptions
{
    const string ConnectVariable = "DATACAKE_CONNECT", SecretVariable = "DATACAKE_SECRET_FILE", OperatorSecretVariable = "DATACAKE_OPERATOR_SECRET_FILE";

    static readonly Option<string?> Connect = new("--connect", "-c") { HelpName = "HOST:PORT", Description = $"The address of a node. Default: ${ConnectVariable}." };
    static readonly Option<string?> SecretFile = new("--secret-file") { HelpName = "FILE", Description = $"A file with the cluster secret. Default: ${SecretVariable}." };
    static readonly Option<bool> Tls = new("--tls") { Description = "Use TLS, with the authorities that the operating system trusts. Any option with certificates turns it on." };
    static readonly Option<string?> Certificate = new("--certificate") { HelpName = "FILE", Description = "A PEM file with a client certificate, for nodes that require one." };
    static readonly Option<string?> CertificateKey = new("--certificate-key") { HelpName = "FILE", Description = "A PEM file with the key of the certificate, if it is in a file of its own." };
    static readonly Option<string?> TrustedIssuers = new("--trusted-issuers") { HelpName = "FILE", Description = "A PEM file with the authorities that issued the nodes' certificates." };
    static readonly Option<string?> ServerName = new("--server-name") { HelpName = "NAME", Description = "The name in the nodes' certificates, if it differs from the host." };
    static readonly Option<string?> OperatorSecretFile = new("--operator-secret-file")
    {
        HelpName = "FILE",
        Description = $"A file with the operator secret, which commands that change something need. Default: ${OperatorSecretVariable}.",
    };
    static readonly Option<string?> Operator = new("--operator") { HelpName = "NAME", Description = "The name of the operator for the log of the node. Default: the user and the machine." };

    /// <summary>Gets the option that names a store of the node.</summary>
    public static Option<string?> Store { get; } = new("--store")
    {
        HelpName = "NAME",
        Description = "The name of a store that the node has open, such as catalog. Default: the node's own store.",
        // A script with a variable that is not set must not act on the node's own store.
        Validators =
        {
            static result =>
            {
                if (result.Tokens is [{ Value: "" }])
                    result.AddError("The name after --store is empty. Pass the name of a store, or leave --store out for the node's own store.");
            },
        },
    };

    /// <summary>Gets the options that every command has which calls a node.</summary>
    public static IEnumerable<Option> All { get; } = [Connect, SecretFile, Tls, Certificate, CertificateKey, TrustedIssuers, ServerName, OperatorSecretFile, Operator];

    /// <summary>Returns the address that was given, or null.</summary>
    public static string? FindAddress(ParseResult parsed) => Given(parsed.GetValue(Connect), ConnectVariable);

    /// <summary>Returns a sentence on the cluster secret that the tool uses, for an error about the secret.</summary>
    public static string DescribeSecret(ParseResult parsed) => Given(parsed.GetValue(SecretFile), SecretVariable) is { } file
        ? $"The tool has read the cluster secret from {Path.GetFullPath(file)}."
        : $"The tool was given no cluster secret. Pass --secret-file, or set {SecretVariable}.";

    /// <summary>Returns the address of the node.</summary>
    /// <exception cref="ToolException">There is none.</exception>
    public static string AddressOf(ParseResult parsed)
    {
        string address = FindAddress(parsed)
            ?? throw new ToolException(ExitCode.Usage, $"There is no node to connect to. Pass --connect HOST:PORT, or set {ConnectVariable}.");
        CheckAddress(address);
        return address;
    }

    /// <summary>Checks that an address is a host and a port.</summary>
    /// <exception cref="ToolException">It is not.</exception>
    public static void CheckAddress(string address)
    {
        int colon = address.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(address.AsSpan(colon + 1), out ushort port) || port == 0)
            throw new ToolException(ExitCode.Usage, $"'{address}' is not the address of a node. Use HOST:PORT, such as 10.0.0.1:7001.");
    }

    /// <summary>Reads the secrets and certificates.</summary>
    /// <exception cref="ToolException">A file cannot be read.</exception>
    public static NodeAccess AccessOf(ParseResult parsed)
    {
        string? certificate = parsed.GetValue(Certificate), key = parsed.GetValue(CertificateKey), issuers = parsed.GetValue(TrustedIssuers), name = parsed.GetValue(ServerName);
        foreach (string? file in (string?[])[certificate, key, issuers])
        {
            if (file is not null && !File.Exists(file))
                throw new ToolException(ExitCode.Usage, $"The file {file} does not exist. Check the path.");
        }
        bool isTls = parsed.GetValue(Tls) || certificate is not null || issuers is not null || name is not null;
        return new NodeAccess(
            ReadSecret(Given(parsed.GetValue(SecretFile), SecretVariable), "cluster secret"),
            isTls ? new RpcTls { CertificateFile = certificate, CertificateKeyFile = key, TrustedIssuersFile = issuers, ServerName = name } : null,
            ReadSecret(Given(parsed.GetValue(OperatorSecretFile), OperatorSecretVariable), "operator secret"),
            parsed.GetValue(Operator),
            parsed.GetValue(Store));
    }

    /// <summary>Connects to the node that the options name.</summary>
    public static NodeConnection Open(ParseResult parsed)
    {
        string address = AddressOf(parsed);
        try
        {
            return AccessOf(parsed).Open(address);
        }
        catch (ArgumentException e)
        {
            throw new ToolException(ExitCode.Usage, e.Message, e);
        }
    }

    static string? Given(string? value, string variable) =>
        value ?? (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set ? set : null);

    static string? ReadSecret(string? file, string kind)
    {
        if (file is null)
            return null;
        try
        {
            string secret = File.ReadAllText(file).TrimEnd('\r', '\n');
            return secret.Length > 0 ? secret : throw new ToolException(ExitCode.Usage, $"The file {file} is empty. It should have the {kind}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.Usage, $"The file {file} with the {kind} cannot be read: {e.Message}", e);
        }
    }
}
