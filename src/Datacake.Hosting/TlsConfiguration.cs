using Datacake.Rpc;
using Microsoft.Extensions.Configuration;

namespace Datacake.Hosting;

/// <summary>The TLS options of a node in a configuration section, as far as they are texts, named as in <see cref="RpcTls"/>.</summary>
static class TlsConfiguration
{
    public static RpcTls Read(IConfigurationSection section)
    {
        var tls = new RpcTls();
        var settings = new Dictionary<string, Action<IConfigurationSection>>(StringComparer.OrdinalIgnoreCase)
        {
            ["CertificateFile"] = setting => tls = tls with { CertificateFile = setting.GetText() },
            ["CertificateKeyFile"] = setting => tls = tls with { CertificateKeyFile = setting.GetText() },
            ["TrustedIssuersFile"] = setting => tls = tls with { TrustedIssuersFile = setting.GetText() },
            ["RequireClientCertificate"] = setting => tls = tls with { RequireClientCertificate = setting.GetBoolean() },
            ["ServerName"] = setting => tls = tls with { ServerName = setting.GetText() },
            ["ReloadInterval"] = setting => tls = tls with { ReloadInterval = setting.GetTime() },
        };
        section.Apply(settings, "TLS");
        return tls;
    }
}
