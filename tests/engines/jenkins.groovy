// Runs a Jenkinsfile as Jenkins does, as far as ours go: `groovy jenkins.groovy CONFIG.json`. What a declarative
// pipeline may hold is read strictly: an unknown directive, step or argument is an error.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit
import org.codehaus.groovy.control.CompilerConfiguration

class StepFailed extends Exception {
  StepFailed(String message) { super(message) }
}

class OutOfTime extends StepFailed {
  OutOfTime() { super('timeout has been exceeded') }
}

class Build {
  static Map config
  static Script script
  static Map params = [:]
  static Map declared = [:]
  static Map env = new ConcurrentHashMap()
  static Map ran = new ConcurrentHashMap()
  static Map images = new ConcurrentHashMap()
  static Map directives = [:]
  static Queue log = new ConcurrentLinkedQueue()
  static String result = 'SUCCESS'
  static int workspaces = 0
  static ThreadLocal here = new ThreadLocal()

  static File place(String name) { new File(config.place as String, name) }

  static synchronized File workspace() {
    File folder = place("workspace-${++workspaces}")
    new File(folder, 'values').mkdirs()
    new File(folder, 'values/left-by-another-run').text = 'x'
    folder
  }

  static void say(Object text) { log.add(text.toString()) }
}

class Here {
  File folder
  Map variables = [:]
  Long until

  Here inside(Map changes) { new Here([folder: folder, variables: variables, until: until] + changes) }

  static Object within(Here here, Closure work) {
    Here before = Build.here.get()
    Build.here.set(here)
    try {
      return work.call()
    } finally {
      Build.here.set(before)
    }
  }
}

// What `DELEGATE_ONLY` makes strict: only what these classes have may stand in a block.
class Block {
  static Object read(Object delegate, Closure closure) {
    closure.delegate = delegate
    closure.resolveStrategy = Closure.DELEGATE_ONLY
    closure.call()
    delegate
  }

  // A closure with code of the pipeline's: steps, functions and `env` are known in it, directives are not.
  static Closure code(Closure closure) { closure.rehydrate(Build.script, Build.script, Build.script) }
}

class DockerBlock {
  String image
  String args = ''
  void image(String name) { image = name }
  void args(String text) { args = text }
}

class AgentBlock {
  DockerBlock docker
  void docker(Closure closure) { docker = Block.read(new DockerBlock(), closure) }
}

class OptionsBlock {
  List names = []
  void timestamps() { names << 'timestamps' }
  void disableConcurrentBuilds() { names << 'disableConcurrentBuilds' }
  void skipDefaultCheckout() { names << 'skipDefaultCheckout' }
}

class TriggersBlock {
  void cron(String text) {
    List lines = text.split('\n')
    assert lines.size() == 2 && lines[0] ==~ /TZ=[A-Za-z0-9_\/+-]+/
    String part = /(\*|\d+(-\d+)?)/
    assert lines[1].split(' ').every { field -> field.split(',').every { it ==~ /\d+/ || it ==~ /(\*|\d+-\d+)(\/\d+)?/ } }
    assert lines[1].split(' ').size() == 5
    assert TimeZone.getTimeZone(lines[0].substring(3)).ID == lines[0].substring(3)
    Build.directives.cron = text
  }
}

class ParametersBlock {
  void string(Map one) { declare(one, String) }
  void booleanParam(Map one) { declare(one, Boolean) }
  private void declare(Map one, Class type) {
    assert one.keySet() == ['name', 'defaultValue', 'description'] as Set
    assert type.isInstance(one.defaultValue) && one.description instanceof String
    assert !Build.declared.containsKey(one.name)
    Build.declared[one.name] = one.defaultValue
  }
}

class EnvironmentBlock {
  Map values = [:]
  Object getProperty(String name) { name == 'env' ? Build.env : name == 'values' ? this.@values : null }
  void setProperty(String name, Object value) { values[name] = value.toString() }
  String credentials(String id) {
    assert id ==~ /[A-Za-z0-9_.-]+/
    if (!Build.config.credentials.containsKey(id)) { throw new StepFailed("there are no credentials ${id}") }
    Build.config.credentials[id]
  }
}

class WhenBlock {
  boolean early
  Closure condition
  void beforeAgent(boolean value) { early = value }
  void expression(Closure closure) { condition = Block.code(closure) }
}

class ParallelBlock {
  List stages = []
  void stage(String name, Closure closure) { stages << Block.read(new StageBlock(name: name), closure) }
}

class StageBlock {
  String name
  Object agent
  WhenBlock when
  Closure environment
  Closure steps
  List parallel
  String getAny() { 'any' }
  void agent(String word) { agent = word }
  void agent(Closure closure) { agent = Block.read(new AgentBlock(), closure).docker }
  void when(Closure closure) { when = Block.read(new WhenBlock(), closure) }
  void environment(Closure closure) { environment = closure }
  void steps(Closure closure) { steps = Block.code(closure) }
  void parallel(Closure closure) { parallel = Block.read(new ParallelBlock(), closure).stages }

  void check(boolean nested) {
    assert (steps == null) != (parallel == null)
    assert parallel == null || (!nested && agent == null && environment == null && parallel.size() > 1)
    assert parallel != null || agent != null
    if (parallel) { parallel.each { it.check(true) } }
    if (agent instanceof DockerBlock) { Build.images[name] = [agent.image, agent.args] }
    assert Build.ran.put(name, 'SKIPPED') == null : "two stages are called ${name}"
  }

  void run() {
    if (Build.result != 'SUCCESS') { return }
    if (parallel) {
      List threads = parallel.collect { stage -> Thread.start { stage.runOwn() } }
      threads*.join()
      return
    }
    runOwn()
  }

  void runOwn() {
    try {
      if (when && !when.condition.call()) { return }
      Map variables = environment ? Block.read(new EnvironmentBlock(), environment).values : [:]
      Here.within(new Here(folder: Build.workspace(), variables: variables)) { steps.call() }
      Build.ran[name] = 'SUCCESS'
    } catch (StepFailed failed) {
      Build.ran[name] = 'FAILURE'
      Build.say("${name}: ${failed.message}")
      synchronized (Build) { Build.result = failed instanceof OutOfTime ? 'ABORTED' : 'FAILURE' }
    }
  }
}

class StagesBlock {
  List stages = []
  void stage(String name, Closure closure) { stages << Block.read(new StageBlock(name: name), closure) }
}

class ConditionsBlock {
  Closure unsuccessful
  void unsuccessful(Closure closure) { unsuccessful = Block.code(closure) }
}

class PipelineBlock {
  String agent
  List stages
  Closure environment
  Closure unsuccessful
  String getNone() { 'none' }
  void agent(String word) { agent = word }
  void options(Closure closure) { Build.directives.options = Block.read(new OptionsBlock(), closure).names }
  void triggers(Closure closure) { Block.read(new TriggersBlock(), closure) }
  void parameters(Closure closure) { Block.read(new ParametersBlock(), closure) }
  void environment(Closure closure) { environment = closure }
  void stages(Closure closure) { stages = Block.read(new StagesBlock(), closure).stages }
  void post(Closure closure) { unsuccessful = Block.read(new ConditionsBlock(), closure).unsuccessful }
}

class Image {
  String name
  Object inside(Closure work) {
    assert name
    work.call()
  }
}

class Docker {
  Image image(String name) { new Image(name: name) }
}

abstract class Steps extends Script {
  Map getEnv() { Build.env }
  Object getScm() { 'scm' }
  Docker getDocker() { new Docker() }

  void pipeline(Closure closure) {
    Build.script = this
    PipelineBlock read = Block.read(new PipelineBlock(), closure)
    assert read.agent == 'none' && read.stages
    read.stages.each { it.check(false) }
    assert Build.declared.keySet().containsAll(Build.config.parameters.keySet())
    Build.declared.each { name, value -> Build.params[name] = Build.config.parameters.getOrDefault(name, value).toString() }
    if (read.environment) { Build.env.putAll(Block.read(new EnvironmentBlock(), read.environment).values) }
    if (Build.config.dry) { return }
    read.stages.each { it.run() }
    if (read.unsuccessful && Build.result != 'SUCCESS') { read.unsuccessful.call() }
  }

  Object script(Closure work) { work.call() }
  void echo(String text) { Build.say(text) }
  void error(String text) { throw new StepFailed(text) }
  void deleteDir() { assert Build.here.get().folder.deleteDir() && Build.here.get().folder.mkdirs() }
  Object dir(String path, Closure work) {
    Here here = Build.here.get()
    Here.within(here.inside(folder: new File(here.folder, path).canonicalFile), work)
  }

  void checkout(Object what) {
    assert what == 'scm'
    String target = Build.here.get().folder
    Process git = ['git', 'clone', '--quiet', '--shared', Build.config.repository, target].execute()
    assert git.waitFor() == 0 : git.err.text
  }

  String sh(String text) { shell(text, false) }
  String sh(Map one) {
    assert one.keySet() == ['returnStdout', 'script'] as Set
    shell(one.script, one.returnStdout)
  }

  private String shell(String text, boolean wanted) {
    Here here = Build.here.get()
    File file = File.createTempFile('script', '.sh', Build.place('tmp'))
    File printed = File.createTempFile('printed', '.txt', Build.place('tmp'))
    File told = File.createTempFile('told', '.txt', Build.place('tmp'))
    file.setText(text, 'UTF-8')
    ProcessBuilder builder = new ProcessBuilder('sh', '-xe', file.path).directory(here.folder)
    Map variables = builder.environment()
    variables.clear()
    variables.putAll(Build.config.environment)
    Build.params.each { name, value -> // as Jenkins does
      variables[name] = value
      variables[name.toUpperCase(Locale.ENGLISH)] = value
    }
    Build.env.each { name, value -> variables[name] = value.toString() }
    variables.putAll(here.variables)
    Process process = builder.redirectOutput(printed).redirectError(told).start()
    long left = here.until == null ? 600000L : here.until - System.currentTimeMillis()
    boolean ended = process.waitFor(Math.max(left, 1), TimeUnit.MILLISECONDS)
    if (!ended) {
      process.descendants().forEach { it.destroyForcibly() }
      process.destroyForcibly()
    }
    Build.say(told.getText('UTF-8'))
    if (!wanted) { Build.say(printed.getText('UTF-8')) }
    if (!ended) { throw new OutOfTime() }
    if (process.exitValue() != 0) { throw new StepFailed("script returned exit code ${process.exitValue()}") }
    wanted ? printed.getText('UTF-8') : null
  }

  Object retry(int count, Closure work) {
    assert count > 0
    for (int number = 1; ; number++) {
      try {
        return work.call()
      } catch (StepFailed failed) {
        if (number == count) { throw failed }
      }
    }
  }

  Object timeout(Map one, Closure work) {
    assert one.keySet() == ['time', 'unit'] as Set && one.time instanceof Integer
    long until = System.currentTimeMillis() + TimeUnit.valueOf(one.unit).toMillis(one.time)
    Here.within(Build.here.get().inside(until: until), work)
  }

  void sleep(Map one) {
    assert one.keySet() == ['time', 'unit'] as Set
    Thread.sleep(TimeUnit.valueOf(one.unit).toMillis(one.time))
  }

  void stash(Map one) {
    assert one.keySet() == ['name', 'includes', 'useDefaultExcludes'] as Set && one.useDefaultExcludes == false
    File target = Build.place("stashes/${one.name}")
    assert !target.exists() : "a stash is called ${one.name} already"
    if (!copy(one.includes, Build.here.get().folder, target)) { throw new StepFailed("no files for ${one.name}") }
  }

  void unstash(String name) {
    File source = Build.place("stashes/${name}")
    if (!source.exists()) { throw new StepFailed("no such stash ${name}") }
    copy('**', source, Build.here.get().folder)
  }

  void archiveArtifacts(Map one) {
    assert one.keySet() == ['artifacts', 'allowEmptyArchive'] as Set
    int count = copy(one.artifacts, Build.here.get().folder, Build.place('archive'))
    assert count || one.allowEmptyArchive
  }

  private int copy(String pattern, File from, File to) {
    assert pattern == '**' || pattern ==~ '[a-z0-9/-]+/\\*\\*'
    File top = pattern == '**' ? from : new File(from, pattern - '/**')
    int count = 0
    if (!top.exists()) { return 0 }
    top.eachFileRecurse { file ->
      if (file.isFile()) {
        File target = new File(to, from.toPath().relativize(file.toPath()).toString())
        target.parentFile.mkdirs()
        Files.copy(file.toPath(), target.toPath(), StandardCopyOption.REPLACE_EXISTING)
        count++
      }
    }
    count
  }

  String readFile(String path) { new File(Build.here.get().folder, path).getText('UTF-8') }

  Object node(Closure work) { Here.within(new Here(folder: Build.workspace()), work) }

  Map string(Map one) {
    assert one.keySet() == ['credentialsId', 'variable'] as Set
    one
  }

  Object withCredentials(List bindings, Closure work) {
    Here here = Build.here.get()
    Map found = bindings.collectEntries { [(it.variable): Build.config.credentials[it.credentialsId]] }
    assert found.values().every { it != null }
    Here.within(here.inside(variables: here.variables + found), work)
  }
}

Build.config = new JsonSlurper().parse(new File(args[0]), 'UTF-8')
Build.env.BUILD_TAG = Build.config.tag
Build.place('tmp').mkdirs()
CompilerConfiguration settings = new CompilerConfiguration()
settings.scriptBaseClass = Steps.name
settings.sourceEncoding = 'UTF-8'
GroovyShell shell = new GroovyShell(this.class.classLoader, new Binding(), settings)
shell.evaluate(new File(Build.config.jenkinsfile as String))
Build.place('told.json').setText(JsonOutput.toJson([
  result: Build.result, stages: Build.ran, log: Build.log as List, declared: Build.declared,
  directives: Build.directives, images: Build.images,
]), 'UTF-8')
System.exit(0)
