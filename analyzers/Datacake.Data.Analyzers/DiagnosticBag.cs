using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>A collection of the errors of one entity class.</summary>
sealed class DiagnosticBag(Location? keyspaceLocation)
{
    readonly List<DiagnosticSpec> _items = [];

    public IReadOnlyList<DiagnosticSpec> Items => _items;

    /// <summary>Gets the number of reports, including duplicates.</summary>
    public int Count { get; private set; }

    public bool IsEmpty => Count == 0;

    /// <summary>Reports an error at the symbol if it is in source code, otherwise at the keyspace of the class.</summary>
    public void Report(DiagnosticDescriptor descriptor, ISymbol symbol, params string[] arguments) =>
        Report(descriptor, symbol.Locations.FirstOrDefault(location => location.IsInSource), arguments);

    public void Report(DiagnosticDescriptor descriptor, Location? location, params string[] arguments)
    {
        var spec = DiagnosticSpec.Of(descriptor, location ?? keyspaceLocation, arguments);
        Count++;
        if (!_items.Contains(spec))
            _items.Add(spec);
    }
}
