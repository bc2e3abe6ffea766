# Those of PSScriptAnalyzer's rules that PowerShell's own parser can tell; the analyzer itself is in no registry that a build asks.
BeforeDiscovery {
    $root = Split-Path -Parent $PSScriptRoot
    $scripts = 'build.ps1', 'PSModel.psd1', 'src/PSModel.Cli/Demo.ps1' | ForEach-Object { Get-Item (Join-Path $root $_) }
    $scripts += Get-ChildItem $PSScriptRoot, (Join-Path $PSScriptRoot samples) -File | Where-Object Extension -in '.ps1', '.psm1', '.psd1'
    $files = $scripts | ForEach-Object { @{ Name = $_.FullName.Substring($root.Length + 1); Path = $_.FullName } }
}

Describe '<Name>' -ForEach $files {
    BeforeAll {
        $errors = $null
        $tree = [System.Management.Automation.Language.Parser]::ParseFile($Path, [ref] $null, [ref] $errors)

        function Find-Part([type] $Type, [scriptblock] $Is = { $true }) {
            @($tree.FindAll({ $args[0] -is $Type }, $true) | Where-Object $Is | ForEach-Object { "line $($_.Extent.StartLineNumber): $($_.Extent.Text)" })
        }
    }

    It 'can be parsed' {
        $errors | Should -BeNullOrEmpty
    }

    It 'is text without spaces at the ends of lines, tabs, or a byte order mark' {
        $text = [System.IO.File]::ReadAllText($Path)
        $text | Should -Not -Match '[ \t]\r?\n|\t'
        [System.IO.File]::ReadAllBytes($Path)[0] | Should -Not -Be 0xEF
    }

    # AvoidUsingCmdletAliases, AvoidUsingInvokeExpression
    It 'calls commands by their names, and no text as one' {
        $aliases = (Get-Alias).Name
        Find-Part ([System.Management.Automation.Language.CommandAst]) { $_.GetCommandName() -in $aliases -or $_.GetCommandName() -eq 'Invoke-Expression' } | Should -BeNullOrEmpty
    }

    # UseApprovedVerbs
    It 'names functions with verbs that PowerShell knows' {
        $verbs = (Get-Verb).Verb
        Find-Part ([System.Management.Automation.Language.FunctionDefinitionAst]) { $_.Name -match '^(\w+)-' -and $Matches[1] -notin $verbs } | Should -BeNullOrEmpty
    }

    # AvoidUsingEmptyCatchBlock, AvoidGlobalVars, PossibleIncorrectComparisonWithNull
    It 'passes over no error, has no global variable, and compares with nothing on the left' {
        Find-Part ([System.Management.Automation.Language.CatchClauseAst]) { $_.Body.Statements.Count -eq 0 } | Should -BeNullOrEmpty
        Find-Part ([System.Management.Automation.Language.VariableExpressionAst]) { $_.VariablePath.IsGlobal } | Should -BeNullOrEmpty
        Find-Part ([System.Management.Automation.Language.BinaryExpressionAst]) { $_.Right.Extent.Text -eq '$null' -and $_.Operator -in 'Ieq', 'Ine', 'Ceq', 'Cne' } | Should -BeNullOrEmpty
    }

    # UseDeclaredVarsMoreThanAssignments; what Pester's blocks hand on to each other is one script here.
    It 'uses each variable that it sets' {
        $set = $tree.FindAll({ $args[0] -is [System.Management.Automation.Language.AssignmentStatementAst] -and $args[0].Left -is [System.Management.Automation.Language.VariableExpressionAst] }, $true) |
            ForEach-Object { $_.Left }
        $read = $tree.FindAll({ $args[0] -is [System.Management.Automation.Language.VariableExpressionAst] }, $true) | Where-Object { $_ -notin $set } | ForEach-Object { $_.VariablePath.UserPath }
        $preferences = (Get-Variable *Preference, PSDefaultParameterValues).Name
        $set.VariablePath.UserPath | Where-Object { $_ -notin $read -and $_ -notin $preferences -and $_ -notlike '*:*' -and $_ -ne 'null' } | Should -BeNullOrEmpty
    }

    # AvoidDefaultValueSwitchParameter, AvoidUsingPlainTextForPassword
    It 'has switches that are off, and no password as plain text' {
        Find-Part ([System.Management.Automation.Language.ParameterAst]) { $_.StaticType -eq [switch] -and $_.DefaultValue } | Should -BeNullOrEmpty
        Find-Part ([System.Management.Automation.Language.ParameterAst]) { $_.Name.VariablePath.UserPath -match 'password|credential' -and $_.StaticType -eq [string] } | Should -BeNullOrEmpty
    }
}
