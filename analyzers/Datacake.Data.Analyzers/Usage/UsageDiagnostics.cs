using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers.Usage;

/// <summary>The warnings about code that uses contexts. Each has a section in the README of Datacake.Data.</summary>
static class UsageDiagnostics
{
    public static readonly DiagnosticDescriptor NotAwaited = Create(
        "DCD101", "The task is not awaited",
        "The task of '{0}' is not awaited, so its errors are lost, and the context is still in use when the next operation starts. Await the task, or return it.");

    public static readonly DiagnosticDescriptor KeptContext = Create(
        "DCD102", "The context is kept beyond its unit of work",
        "'{0}' keeps a '{1}' {2}. A context lives for one unit of work. Keep an 'IDatacakeContextFactory<{1}>' instead, and create a context for each unit.");

    public static readonly DiagnosticDescriptor ConcurrentUse = Create(
        "DCD103", "The context is used by two tasks at once",
        "'{0}' is used by several tasks at once, but a context runs one operation at a time. Await one operation after the other, or create a context for each task.");

    public static readonly DiagnosticDescriptor AsyncHandler = Create(
        "DCD104", "The event handler is not awaited",
        "The handler of '{0}' is asynchronous, but a save does not wait for it. Override '{1}' of a DatacakeInterceptor instead, and add it to the Interceptors of the context.");

    public static readonly DiagnosticDescriptor UnsetKey = Create(
        "DCD105", "The key is not set",
        "'{0}.{1}' is not set, so adding the entity throws an exception: no key of type '{2}' is generated. Set the key, or change its type to long or Guid.");

    public static readonly DiagnosticDescriptor LocalTime = Create(
        "DCD106", "A local time is compared with a stored time",
        "'{0}' is a local time, but '{1}' is never stored as one, and the comparison ignores the difference. Use DateTime.UtcNow, or make the property a DateTimeOffset.");

    static DiagnosticDescriptor Create(string id, string title, string message) => new(
        id, title, message, "Datacake.Data", DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Diagnostics.HelpOf(id));
}
