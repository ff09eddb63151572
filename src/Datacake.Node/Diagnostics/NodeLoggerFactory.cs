using Datacake.Rpc.Logging;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Diagnostics;

/// <summary>
/// The factory of a node's loggers, which never throw and log text from peers in one line, whatever the application's loggers do. Providers
/// that are added belong to the node alone: the application's factory, which may outlive many nodes, does not get them. Thread-safe.
/// </summary>
sealed class NodeLoggerFactory(ILoggerFactory application) : ILoggerFactory
{
    readonly Lock _lock = new();

    ILoggerProvider[] _providers = [];      // Replaced as a whole, under the lock.

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName, new SafeLogger(application.CreateLogger(categoryName)));

    /// <summary>Adds a provider, also to the loggers that exist.</summary>
    public void AddProvider(ILoggerProvider provider)
    {
        lock (_lock)
            Volatile.Write(ref _providers, [.. _providers, provider]);
    }

    /// <summary>Does nothing: the application owns its factory, and the owners of the providers own them.</summary>
    public void Dispose()
    {
    }

    sealed class Logger(NodeLoggerFactory factory, string category, ILogger application) : ILogger
    {
        AddedLoggers _added = new([], []);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => application.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel)
        {
            if (application.IsEnabled(logLevel))
                return true;
            foreach (var logger in Added)
            {
                if (logger.IsEnabled(logLevel))
                    return true;
            }
            return false;
        }

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // Loggers are asked before each line, because the one that made the caller format it may be another.
            if (application.IsEnabled(logLevel))
                application.Log(logLevel, eventId, state, exception, formatter);
            foreach (var logger in Added)
            {
                if (logger.IsEnabled(logLevel))
                    logger.Log(logLevel, eventId, state, exception, formatter);
            }
        }

        ILogger[] Added
        {
            get
            {
                var providers = Volatile.Read(ref factory._providers);
                var added = Volatile.Read(ref _added);
                if (added.Providers != providers)
                    Volatile.Write(ref _added, added = new(providers, [.. providers.Select(provider => new SafeLogger(provider.CreateLogger(category)))]));
                return added.Loggers;
            }
        }
    }

    /// <summary>The loggers of the providers that were added.</summary>
    sealed class AddedLoggers(ILoggerProvider[] providers, ILogger[] loggers)
    {
        public ILoggerProvider[] Providers => providers;

        public ILogger[] Loggers => loggers;
    }
}
