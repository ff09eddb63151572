using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Datacake.Data.Analyzers.Usage;

/// <summary>The types of Datacake.Data that a compilation refers to, and the operations on them.</summary>
sealed class ContextSymbols
{
    readonly INamedTypeSymbol _context;
    readonly INamedTypeSymbol?[] _queries;

    ContextSymbols(Compilation compilation, INamedTypeSymbol context)
    {
        _context = context;
        Keyspace = compilation.GetTypeByMetadataName(Names.Data + "Keyspace`1");
        Query = compilation.GetTypeByMetadataName(Names.Data + "Query`1");
        _queries = [compilation.GetTypeByMetadataName(Names.Data + "SerialWork"), compilation.GetTypeByMetadataName(Names.Data + "QueryableExecution")];
    }

    public INamedTypeSymbol? Keyspace { get; }

    public INamedTypeSymbol? Query { get; }

    /// <summary>Returns the types; null if the compilation does not refer to Datacake.Data.</summary>
    public static ContextSymbols? Of(Compilation compilation) =>
        compilation.GetTypeByMetadataName(Names.Data + "DatacakeContext") is { } context ? new(compilation, context) : null;

    /// <summary>True if a type is a context.</summary>
    public bool IsContext(ITypeSymbol? type)
    {
        for (; type is not null; type = type is ITypeParameterSymbol parameter ? parameter.ConstraintTypes.FirstOrDefault() : type.BaseType)
        {
            if (SymbolEqualityComparer.Default.Equals(type, _context))
                return true;
        }
        return false;
    }

    /// <summary>True if a type is a query, or derives from one, such as a keyspace.</summary>
    public bool IsQuery(ITypeSymbol? type)
    {
        for (; type is not null; type = type.BaseType)
        {
            if (SymbolEqualityComparer.Default.Equals(type.OriginalDefinition, Query) || SymbolEqualityComparer.Default.Equals(type.OriginalDefinition, Keyspace))
                return true;
        }
        return false;
    }

    /// <summary>True if a type belongs to the operations of contexts, queries and serial works.</summary>
    public bool IsOperations(INamedTypeSymbol type) => IsContext(type) || IsQuery(type) || _queries.Contains(type.OriginalDefinition, SymbolEqualityComparer.Default);

    /// <summary>Returns the expression without conversions.</summary>
    public static IOperation Unwrap(IOperation operation)
    {
        while (operation is IConversionOperation or IParenthesizedOperation or IDelegateCreationOperation or IArgumentOperation)
        {
            operation = operation switch
            {
                IConversionOperation conversion => conversion.Operand,
                IParenthesizedOperation parenthesized => parenthesized.Operand,
                IDelegateCreationOperation creation => creation.Target,
                _ => ((IArgumentOperation)operation).Value,
            };
        }
        return operation;
    }

    /// <summary>Returns the variable, field or property that an operation refers to; null if it refers to none.</summary>
    public static ISymbol? ReferenceOf(IOperation operation) => operation switch
    {
        ILocalReferenceOperation local => local.Local,
        IParameterReferenceOperation parameter => parameter.Parameter,
        IFieldReferenceOperation { Instance: null or IInstanceReferenceOperation } field => field.Field,
        IPropertyReferenceOperation { Instance: null or IInstanceReferenceOperation } property => property.Property,
        _ => null,
    };
}
