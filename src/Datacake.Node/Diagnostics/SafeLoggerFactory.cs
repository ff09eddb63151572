using Datacake.Rpc.Logging;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Diagnostics;

/// <summary>
/// A factory of loggers that never throw and that log text from peers in one line, whatever the application's loggers do.
/// </summary>
sealed class SafeLoggerFactory(ILoggerFactory inner) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new SafeLogger(inner.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    /// <summary>Does nothing: the application owns the factory.</summary>
    public void Dispose()
    {
    }
}
