using Datacake.Data.Analyzers.Usage;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Datacake.Data.Analyzers;

/// <summary>
/// The analyzer of queries that compare a stored <see cref="DateTime"/> with a local one. A save rejects local times, and a comparison is by ticks, whatever the kind. So times without a kind can be compared
/// with stored ones, and are not reported.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class LocalTimeAnalyzer() : UsageAnalyzer(UsageDiagnostics.LocalTime)
{
    private protected override void Register(CompilationStartAnalysisContext start, ContextSymbols symbols) =>
        start.RegisterOperationAction(operation => Analyze(operation, symbols), OperationKind.Binary);

    static void Analyze(OperationAnalysisContext context, ContextSymbols symbols)
    {
        var comparison = (IBinaryOperation)context.Operation;
        if (comparison.OperatorKind is not (BinaryOperatorKind.Equals or BinaryOperatorKind.NotEquals or BinaryOperatorKind.LessThan or BinaryOperatorKind.LessThanOrEqual
            or BinaryOperatorKind.GreaterThan or BinaryOperatorKind.GreaterThanOrEqual))
            return;
        var (left, right) = (ContextSymbols.Unwrap(comparison.LeftOperand), ContextSymbols.Unwrap(comparison.RightOperand));
        var (local, stored) = IsLocal(left) ? (left, right) : (right, left);
        if (IsLocal(local) && StoredProperty(stored, symbols) is { } property)
            context.ReportDiagnostic(Diagnostic.Create(UsageDiagnostics.LocalTime, local.Syntax.GetLocation(), local.Syntax.ToString(), property.Name));
    }

    /// <summary>True for the local time, and for what is computed from it: <c>DateTime.Now.AddDays(-1)</c>, <c>DateTime.Today - span</c>.</summary>
    static bool IsLocal(IOperation operation) => ContextSymbols.Unwrap(operation) switch
    {
        IPropertyReferenceOperation { Property: { IsStatic: true, Name: "Now" or "Today", ContainingType.SpecialType: SpecialType.System_DateTime } } => true,
        IPropertyReferenceOperation { Property: { Name: "Date", ContainingType.SpecialType: SpecialType.System_DateTime }, Instance: { } instance } => IsLocal(instance),
        IInvocationOperation { TargetMethod: { Name: "ToLocalTime", ContainingType.SpecialType: SpecialType.System_DateTime } } => true,
        IInvocationOperation { TargetMethod: { ContainingType.SpecialType: SpecialType.System_DateTime, ReturnType.SpecialType: SpecialType.System_DateTime } method, Instance: { } instance } =>
            method.Name.StartsWith("Add", StringComparison.Ordinal) && IsLocal(instance),
        IBinaryOperation { OperatorKind: BinaryOperatorKind.Add or BinaryOperatorKind.Subtract, Type.SpecialType: SpecialType.System_DateTime } sum => IsLocal(sum.LeftOperand),
        _ => false,
    };

    /// <summary>Returns the stored property that an operation reads from the parameter of a query's lambda; null if it reads none.</summary>
    static IPropertySymbol? StoredProperty(IOperation operation, ContextSymbols symbols)
    {
        if (operation is IPropertyReferenceOperation { Property: { Name: "Value", ContainingType.OriginalDefinition.SpecialType: SpecialType.System_Nullable_T }, Instance: { } nullable })
            operation = ContextSymbols.Unwrap(nullable);
        if (operation is not IPropertyReferenceOperation { Property: { } property } reference
            || (TypeMapping.NullableOf(property.Type) ?? property.Type).SpecialType != SpecialType.System_DateTime
            || property.GetAttributes().Any(static attribute => attribute.AttributeClass?.Name is "ConverterAttribute" or "IgnoreAttribute" or "NotMappedAttribute"))
            return null;
        var root = reference.Instance;
        while (root is IPropertyReferenceOperation owner)
            root = owner.Instance;
        if (root is not IParameterReferenceOperation { Parameter: { ContainingSymbol: IMethodSymbol { MethodKind: MethodKind.LambdaMethod } lambda } parameter })
            return null;
        // Only a lambda of a query over the entities themselves: what a projection makes may be local.
        for (var outer = operation.Parent; outer is not null; outer = outer.Parent)
        {
            if (outer is IAnonymousFunctionOperation function && SymbolEqualityComparer.Default.Equals(function.Symbol, lambda))
                return outer.Parent is { } parent && IsQueryOf(parent, parameter.Type, symbols) ? property : null;
        }
        return null;
    }

    static bool IsQueryOf(IOperation lambda, ITypeSymbol entity, ContextSymbols symbols)
    {
        while (lambda is IConversionOperation or IDelegateCreationOperation or ITranslatedQueryOperation)
            lambda = lambda.Parent!;
        if (lambda is not IArgumentOperation { Parent: IInvocationOperation { Instance: { } source } })
            return false;
        for (var query = ContextSymbols.Unwrap(source); ; query = ContextSymbols.Unwrap(((IInvocationOperation)query).Instance!))
        {
            if (query.Type is INamedTypeSymbol { TypeArguments.Length: 1 } type && symbols.IsQuery(type) && !SymbolEqualityComparer.Default.Equals(type.TypeArguments[0], entity))
                return false;
            if (SymbolEqualityComparer.Default.Equals(query.Type?.OriginalDefinition, symbols.Keyspace))
                return true;
            if (query is not IInvocationOperation { Instance: not null } call || !symbols.IsQuery(call.TargetMethod.ContainingType) || call.TargetMethod.Name.StartsWith("Select", StringComparison.Ordinal))
                return false;
        }
    }
}
