using Datacake.Data.Analyzers.Usage;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Datacake.Data.Analyzers;

/// <summary>The analyzer of tasks that write, and are dropped. An assignment to a discard is taken for intended, as the compiler does.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class UnawaitedTaskAnalyzer() : UsageAnalyzer(UsageDiagnostics.NotAwaited)
{
    static readonly HashSet<string> Methods = ["SaveChangesAsync", "ExecuteUpdateAsync", "ExecuteDeleteAsync", "ClearAsync", "BulkAddAsync", "RunSerialAsync"];

    private protected override void Register(CompilationStartAnalysisContext start, ContextSymbols symbols) =>
        start.RegisterOperationAction(operation => Analyze(operation, symbols), OperationKind.Invocation);

    static void Analyze(OperationAnalysisContext context, ContextSymbols symbols)
    {
        var call = (IInvocationOperation)context.Operation;
        var method = call.TargetMethod;
        if (!Methods.Contains(method.Name) || !IsTask(method.ReturnType) || !symbols.IsOperations(method.ContainingType))
            return;
        IOperation value = call;
        while (value.Parent is IConversionOperation or IParenthesizedOperation || IsConfigured(value)
            || (value.Parent is IConditionalAccessOperation access && access.WhenNotNull == value))
            value = value.Parent!;
        if (value.Parent is IExpressionStatementOperation)
            context.ReportDiagnostic(Diagnostic.Create(UsageDiagnostics.NotAwaited, call.Syntax.GetLocation(), method.Name));
    }

    static bool IsConfigured(IOperation value) =>
        value.Parent is IInvocationOperation { TargetMethod.Name: "ConfigureAwait" } configuration && configuration.Instance == value;

    static bool IsTask(ITypeSymbol type) => type.Name is "Task" or "ValueTask" && type.ContainingNamespace.ToDisplayString() == "System.Threading.Tasks";
}
