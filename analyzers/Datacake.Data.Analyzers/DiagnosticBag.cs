using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>Collects what is wrong with one entity class.</summary>
sealed class DiagnosticBag(Location? keyspaceLocation)
{
    readonly List<DiagnosticSpec> _items = [];

    public IReadOnlyList<DiagnosticSpec> Items => _items;

    public int Count => _items.Count;

    public bool IsEmpty => Count == 0;

    /// <summary>Reports at the symbol if it is in source, else at the keyspace that has the class.</summary>
    public void Report(DiagnosticDescriptor descriptor, ISymbol symbol, params string[] arguments) =>
        Report(descriptor, symbol.Locations.FirstOrDefault(location => location.IsInSource), arguments);

    public void Report(DiagnosticDescriptor descriptor, Location? location, params string[] arguments) =>
        _items.Add(DiagnosticSpec.Of(descriptor, location ?? keyspaceLocation, arguments));
}
