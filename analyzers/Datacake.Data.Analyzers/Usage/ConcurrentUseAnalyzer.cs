using Datacake.Data.Analyzers.Usage;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Datacake.Data.Analyzers;

/// <summary>
/// The analyzer of contexts that several tasks use at once: two operations among the arguments of <c>Task.WhenAll</c>, or a lambda that runs several times at once and uses a context from outside.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ConcurrentUseAnalyzer() : UsageAnalyzer(UsageDiagnostics.ConcurrentUse)
{
    private protected override void Register(CompilationStartAnalysisContext start, ContextSymbols symbols) =>
        start.RegisterOperationAction(operation => Analyze(operation, symbols), OperationKind.Invocation);

    static void Analyze(OperationAnalysisContext context, ContextSymbols symbols)
    {
        var call = (IInvocationOperation)context.Operation;
        if (call.TargetMethod.ContainingNamespace?.ToDisplayString() != "System.Threading.Tasks")
            return;
        switch (call.TargetMethod)
        {
            case { Name: "WhenAll", ContainingType.Name: "Task" }:
                AnalyzeTasks(context, [.. call.Arguments.SelectMany(static argument => ElementsOf(argument.Value))], symbols);
                break;
            case { Name: "ForEachAsync" or "ForAsync" or "ForEach" or "For", ContainingType.Name: "Parallel" } when !IsLimitedToOne(call):
                foreach (var argument in call.Arguments)
                {
                    if (ContextSymbols.Unwrap(argument) is IAnonymousFunctionOperation body)
                        Report(context, CapturedBy(body, symbols));
                }
                break;
        }
    }

    static void AnalyzeTasks(OperationAnalysisContext context, List<IOperation> tasks, ContextSymbols symbols)
    {
        var used = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        foreach (var task in tasks)
        {
            // items.Select(async item => …): one task for each item.
            if (task is IInvocationOperation { TargetMethod: { Name: "Select", ContainingType.Name: "Enumerable" } } select)
            {
                foreach (var argument in select.Arguments)
                {
                    if (ContextSymbols.Unwrap(argument) is IAnonymousFunctionOperation projection)
                        Report(context, CapturedBy(projection, symbols));
                }
            }
            else if (UsedBy(task, symbols) is { } use && ContextSymbols.ReferenceOf(use) is { } symbol && !used.Add(symbol))
                Report(context, use);
        }
    }

    /// <summary>Returns the elements of an array or a collection expression; the expression itself if it is neither.</summary>
    static IEnumerable<IOperation> ElementsOf(IOperation value) => ContextSymbols.Unwrap(value) switch
    {
        IArrayCreationOperation { Initializer: { } initializer } => initializer.ElementValues.Select(ContextSymbols.Unwrap),
        ICollectionExpressionOperation collection => collection.Elements.Select(ContextSymbols.Unwrap),
        var other => [other],
    };

    /// <summary>Returns the context on which a task is an operation, directly or in the lambda of <c>Task.Run</c>; null if there is none.</summary>
    static IOperation? UsedBy(IOperation task, ContextSymbols symbols)
    {
        if (task is IInvocationOperation { TargetMethod: { Name: "Run", ContainingType.Name: "Task" } } run)
            return run.Arguments.Select(ContextSymbols.Unwrap).OfType<IAnonymousFunctionOperation>().Select(body => CapturedBy(body, symbols)).FirstOrDefault(static use => use is not null);
        var root = task;
        while (root is IInvocationOperation { Instance: { } instance } call && symbols.IsOperations(call.TargetMethod.ContainingType) || root is IPropertyReferenceOperation { Instance: { } owner } && symbols.IsContext(owner.Type))
            root = ContextSymbols.Unwrap(root is IInvocationOperation invoked ? invoked.Instance! : ((IPropertyReferenceOperation)root).Instance!);
        return root != task && symbols.IsContext(root.Type) && ContextSymbols.ReferenceOf(root) is not null ? root : null;
    }

    /// <summary>Returns the first operation of a lambda on a context that is not its own; null if there is none, or if a lock lets only one run at a time.</summary>
    static IOperation? CapturedBy(IAnonymousFunctionOperation lambda, ContextSymbols symbols)
    {
        IOperation? found = null;
        foreach (var operation in lambda.Descendants())
        {
            if (operation is ILockOperation or IInvocationOperation { TargetMethod.ContainingType.Name: "SemaphoreSlim" })
                return null;
            if (found is null && symbols.IsContext(operation.Type) && ContextSymbols.ReferenceOf(operation) is { } symbol && !IsDeclaredIn(symbol, lambda) && IsOperation(operation, symbols))
                found = operation;
        }
        return found;
    }

    /// <summary>True if a keyspace or a method of the context is used, other than its node or its model, which any thread can use.</summary>
    static bool IsOperation(IOperation context, ContextSymbols symbols) => context.Parent switch
    {
        IPropertyReferenceOperation property => property.Instance == context && symbols.IsQuery(property.Type),
        IInvocationOperation call => call.Instance == context && symbols.IsContext(call.TargetMethod.ContainingType),
        _ => false,
    };

    static bool IsDeclaredIn(ISymbol symbol, IAnonymousFunctionOperation lambda) =>
        symbol is ILocalSymbol or IParameterSymbol && symbol.DeclaringSyntaxReferences.Any(reference => reference.SyntaxTree == lambda.Syntax.SyntaxTree && lambda.Syntax.Span.Contains(reference.Span));

    static bool IsLimitedToOne(IInvocationOperation call) => call.Arguments.Any(static argument =>
        argument.Parameter?.Type.Name == "ParallelOptions"
        && (argument.Value is not IObjectCreationOperation options || options.Descendants().Any(static operation =>
            operation is ISimpleAssignmentOperation { Target: IPropertyReferenceOperation { Property.Name: "MaxDegreeOfParallelism" }, Value.ConstantValue: { HasValue: true, Value: 1 } })));

    static void Report(OperationAnalysisContext context, IOperation? use)
    {
        if (use is not null)
            context.ReportDiagnostic(Diagnostic.Create(UsageDiagnostics.ConcurrentUse, use.Syntax.GetLocation(), use.Syntax.ToString()));
    }
}
