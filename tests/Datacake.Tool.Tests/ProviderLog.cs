using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Tool.Tests;

/// <summary>A logger factory that accepts a provider, as those of hosts do.</summary>
sealed class ProviderLog : ILoggerFactory
{
    ILoggerProvider? _provider;

    public void AddProvider(ILoggerProvider provider) => _provider = provider;

    public ILogger CreateLogger(string categoryName) => _provider?.CreateLogger(categoryName) ?? NullLogger.Instance;

    public void Dispose()
    {
    }
}
