using Datacake.Data.Analyzers.Usage;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Datacake.Data.Analyzers;

/// <summary>
/// The analyzer of new entities whose key is an <c>int</c> or smaller, is not generated, and is not set where the entity is created and added. A class that <c>OnModelCreating</c> describes, that has relations, or whose
/// constructor may set the key, is not examined.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class UnsetKeyAnalyzer() : UsageAnalyzer(UsageDiagnostics.UnsetKey)
{
    private protected override void Register(CompilationStartAnalysisContext start, ContextSymbols symbols) =>
        start.RegisterOperationAction(operation => Analyze(operation, symbols), OperationKind.Invocation);

    static void Analyze(OperationAnalysisContext context, ContextSymbols symbols)
    {
        var call = (IInvocationOperation)context.Operation;
        if (call.TargetMethod.Name is not ("Add" or "AddAsync" or "AddRange")
            || !SymbolEqualityComparer.Default.Equals(call.TargetMethod.ContainingType.OriginalDefinition, symbols.Keyspace)
            || call.Instance is not IPropertyReferenceOperation { Property.ContainingType: { } owner }
            || Members.LineageOf(owner).TakeWhile(static type => type.Name != "DatacakeContext").Any(static type => type.GetMembers("OnModelCreating").Length + type.GetMembers("ConfigureConventions").Length > 0))
            return;
        foreach (var creation in call.Arguments.SelectMany(static argument => ElementsOf(argument.Value)).OfType<IObjectCreationOperation>())
        {
            if (creation.Type is INamedTypeSymbol entity && UnsetKeyOf(entity) is { } key && IsDefaultConstructed(entity, key) && !Sets(creation, key))
            {
                context.ReportDiagnostic(Diagnostic.Create(
                    UsageDiagnostics.UnsetKey, creation.Syntax.GetLocation(), entity.Name, key.Name, key.Type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)));
            }
        }
    }

    static IEnumerable<IOperation> ElementsOf(IOperation value) => ContextSymbols.Unwrap(value) switch
    {
        IArrayCreationOperation { Initializer: { } initializer } => initializer.ElementValues.Select(ContextSymbols.Unwrap),
        ICollectionExpressionOperation collection => collection.Elements.Select(ContextSymbols.Unwrap),
        var other => [other],
    };

    /// <summary>Returns the key that must be set; null if keys of the class are generated or numbered, or may be 0.</summary>
    static IPropertySymbol? UnsetKeyOf(INamedTypeSymbol entity)
    {
        var properties = Members.PropertiesOf(entity).ToList();
        var keys = EntityReader.KeyOf(entity, null, properties);
        if (keys.Count != 1
            || keys[0] is not { } key
            || key.Type.SpecialType is not (SpecialType.System_Int32 or SpecialType.System_UInt32 or SpecialType.System_Int16 or SpecialType.System_UInt16)
            || key.FindAll(Names.Annotations + "Schema.DatabaseGeneratedAttribute").Any()
            || key.GetAttributes().Any(static attribute => attribute.AttributeClass?.Name == "ConverterAttribute")
            || Members.LineageOf(entity).Any(static type => type.Find(Names.Data + "SerialAttribute") is not null))
            return null;
        // A key that is also a foreign key follows a navigation.
        return properties.Any(static property => property.Find(Names.Annotations + "Schema.ForeignKeyAttribute") is not null)
            || properties.Any(property => property.Type.TypeKind == TypeKind.Class && property.Name + "Id" == key.Name)
            || properties.Any(property => SymbolEqualityComparer.Default.Equals(property.Type, entity))
            ? null
            : key;
    }

    /// <summary>True if no constructor and no initializer sets the key.</summary>
    static bool IsDefaultConstructed(INamedTypeSymbol entity, IPropertySymbol key) =>
        Members.LineageOf(entity).All(static type => type.InstanceConstructors.All(static constructor => constructor.IsImplicitlyDeclared))
        && key.DeclaringSyntaxReferences.Length == 1
        && key.DeclaringSyntaxReferences[0].GetSyntax() is Microsoft.CodeAnalysis.CSharp.Syntax.PropertyDeclarationSyntax { Initializer: null };

    static bool Sets(IObjectCreationOperation creation, IPropertySymbol key) => creation.Initializer?.Initializers.Any(initializer =>
        initializer is IAssignmentOperation { Target: IPropertyReferenceOperation target } && target.Property.Name == key.Name) == true;
}
