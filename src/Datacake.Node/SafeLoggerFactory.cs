using Datacake.Rpc.Logging;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>Makes loggers that throw nothing and quote peers in one line, whatever the application's loggers do.</summary>
sealed class SafeLoggerFactory(ILoggerFactory inner) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new SafeLogger(inner.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    /// <summary>Leaves the application's factory alone.</summary>
    public void Dispose()
    {
    }
}
