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
            ["CertificateFile"] = setting => tls.CertificateFile = setting.GetText(),
            ["CertificateKeyFile"] = setting => tls.CertificateKeyFile = setting.GetText(),
            ["TrustedIssuersFile"] = setting => tls.TrustedIssuersFile = setting.GetText(),
            ["RequireClientCertificate"] = setting => tls.RequireClientCertificate = setting.GetBoolean(),
            ["ServerName"] = setting => tls.ServerName = setting.GetText(),
            ["ReloadInterval"] = setting => tls.ReloadInterval = setting.GetTime(),
        };
        section.Apply(settings, "TLS");
        return tls;
    }
}
